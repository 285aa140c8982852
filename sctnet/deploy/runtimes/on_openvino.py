"""OpenVINO, for Intel's CPUs and GPUs."""

import threading
from pathlib import Path

import openvino
import torch
from torch import Tensor, nn

from ...errors import ArgumentError, CheckpointError
from ..metadata import KEY
from ..to_onnx import as_onnx
from . import Runtime, count_threads, name_of

PRECISIONS = {'fp32': 'f32', 'fp16': 'f16', 'bf16': 'bf16'}


def load(
    source: nn.Module | str | bytes,
    device: torch.device,
    threads: int | None = None,
    precision: str = 'fp32',
    target: str = 'CPU',
) -> Runtime:
    """Run a network, or an ``.xml`` or ``.onnx`` file, with OpenVINO.

    Args:
        source: the network, or the file's path.
        device: the CPU; ``target`` names OpenVINO's own devices.
        threads: torch's number by default.
        precision: ``fp32``, or ``bf16`` and ``fp16`` where the processor has them.
        target: OpenVINO's device, for instance ``CPU`` or ``GPU``.
    """
    if device.type != 'cpu':
        raise ArgumentError(
            f"OpenVINO cannot use '{device}': pass device='cpu', and target='GPU' for "
            'a GPU of Intel'
        )
    if precision not in PRECISIONS:
        raise ArgumentError(
            f"precision '{precision}': expected one of {', '.join(PRECISIONS)}"
        )
    core = openvino.Core()
    known = core.available_devices
    if target.partition('.')[0].partition(':')[0] not in (*known, 'AUTO', 'MULTI'):
        raise ArgumentError(
            f"target '{target}' is not there: OpenVINO finds {', '.join(known)}"
        )
    if isinstance(source, str) and source.endswith('.xml'):
        _check_weights(source)
    model = as_onnx(source) if isinstance(source, nn.Module) else source
    properties: dict[str, str | int] = {
        'INFERENCE_PRECISION_HINT': PRECISIONS[precision]
    }
    if target == 'CPU':
        properties['INFERENCE_NUM_THREADS'] = count_threads(threads)
    try:
        request = core.compile_model(
            core.read_model(model), target, properties
        ).create_infer_request()
    except RuntimeError as error:
        raise CheckpointError(
            f'OpenVINO cannot open {name_of(source)} '
            f'({str(error).strip().splitlines()[-1]}): export it again with '
            'tools/export.py'
        ) from error

    turn = threading.Lock()

    def run(images: Tensor) -> Tensor:
        with turn:  # there is one request, and one buffer for what it gives
            request.infer([images.cpu().numpy()], share_inputs=True)
            return torch.from_numpy(request.get_output_tensor(0).data.copy())

    return run


def _check_weights(path: str) -> None:
    weights = Path(path).with_suffix('.bin')
    if not weights.is_file():
        raise CheckpointError(
            f"'{weights}' with the weights of '{path}' is not there: copy it, too"
        )


def read_metadata(path: str) -> str | None:
    """Return what ``tools/export.py`` wrote into an ``.xml`` or ``.onnx`` about it."""
    model = openvino.Core().read_model(path)
    for place in ([KEY], ['framework', KEY]):  # of our IR, and of what ONNX had
        if model.has_rt_info(place):
            return model.get_rt_info(place).astype(str)
    return None
