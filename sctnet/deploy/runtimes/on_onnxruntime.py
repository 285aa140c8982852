"""ONNX Runtime: the fastest of them on a CPU."""

import onnxruntime
import torch
from torch import Tensor, nn

from ...errors import ArgumentError, CheckpointError
from ..metadata import KEY
from ..to_onnx import as_onnx
from . import Runtime, count_threads, name_of


def load(
    source: nn.Module | str | bytes, device: torch.device, threads: int | None = None
) -> Runtime:
    """Run a network, or an ``.onnx`` file, with ONNX Runtime.

    Args:
        source: the network, or the file's path.
        device: CPU, or a GPU with onnxruntime-gpu.
        threads: of a CPU; torch's number by default.
    """
    model = as_onnx(source) if isinstance(source, nn.Module) else source
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count_threads(threads)
    options.log_severity_level = 3
    # Its idle threads would take the cores from what follows the network.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    providers = _providers(device)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    except Exception as error:  # its exceptions have no common type of their own
        raise CheckpointError(
            f'ONNX Runtime cannot open {name_of(source)} '
            f'({str(error).splitlines()[0]}): export it again with tools/export.py'
        ) from error
    if session.get_providers()[0] != _kind(providers[0]):
        raise ArgumentError(
            f"ONNX Runtime could not load its GPU part for '{device}': install the "
            "CUDA and cuDNN that its documentation names, or take device='cpu'"
        )
    name = session.get_inputs()[0].name

    def run(images: Tensor) -> Tensor:
        try:
            (logits,) = session.run(None, {name: images.cpu().numpy()})
        except Exception as error:
            raise CheckpointError(
                f'ONNX Runtime cannot run {name_of(source)} on {tuple(images.shape)} '
                f'({str(error).splitlines()[0][:200]}): export it again with '
                'tools/export.py, or take a smaller image'
            ) from error
        return torch.from_numpy(logits)

    return run


def _kind(provider: str | tuple[str, dict]) -> str:
    return provider if isinstance(provider, str) else provider[0]


def _providers(device: torch.device) -> list:
    if device.type == 'cpu':
        return ['CPUExecutionProvider']
    if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
        raise ArgumentError(
            f"this ONNX Runtime cannot use '{device}': pip install onnxruntime-gpu, or "
            "take device='cpu'"
        )
    return [('CUDAExecutionProvider', {'device_id': device.index or 0})]


def read_metadata(path: str) -> str | None:
    """Return what ``tools/export.py`` wrote into an ``.onnx`` file about it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = (
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    )
    session = onnxruntime.InferenceSession(
        path, options, providers=['CPUExecutionProvider']
    )
    return session.get_modelmeta().custom_metadata_map.get(KEY)
