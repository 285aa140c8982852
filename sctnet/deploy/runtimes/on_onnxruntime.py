"""ONNX Runtime: the fastest of them on a CPU."""

import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state
from torch import Tensor, nn

from ...errors import ArgumentError
from ..metadata import KEY
from ..onnx_graph import as_onnx
from . import Opened, count_threads

FAILURES = tuple(  # they have no common base of their own
    kind
    for kind in vars(onnxruntime_pybind11_state).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
)


def load(
    source: nn.Module | str | bytes, device: torch.device, threads: int | None = None
) -> Opened:
    """Run a network, or an ``.onnx`` file, with ONNX Runtime.

    Args:
        source: the network, or the file's path.
        device: CPU, or a GPU with onnxruntime-gpu.
        threads: of a CPU; torch's number by default.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count_threads(threads)
    options.log_severity_level = 3
    # Its idle threads would take the cores from what follows the network.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    provider, settings = _provider(device)
    model = as_onnx(source) if isinstance(source, nn.Module) else source
    session = onnxruntime.InferenceSession(
        model, options, providers=[(provider, settings)]
    )
    if session.get_providers()[0] != provider:
        raise ArgumentError(
            f"ONNX Runtime could not load its GPU part for '{device}': install the "
            "CUDA and cuDNN that its documentation names, or take device='cpu'"
        )
    name = session.get_inputs()[0].name

    def run(images: Tensor) -> Tensor:
        (logits,) = session.run(None, {name: images.cpu().numpy()})
        return torch.from_numpy(logits)

    return Opened(run, session.get_modelmeta().custom_metadata_map.get(KEY))


def _provider(device: torch.device) -> tuple[str, dict[str, int]]:
    if device.type == 'cpu':
        return 'CPUExecutionProvider', {}
    if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
        raise ArgumentError(
            f"this ONNX Runtime cannot use '{device}': pip install onnxruntime-gpu, or "
            "take device='cpu'"
        )
    return 'CUDAExecutionProvider', {'device_id': device.index or 0}
