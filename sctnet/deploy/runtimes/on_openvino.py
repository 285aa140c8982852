"""OpenVINO, for Intel's CPUs and GPUs."""

from pathlib import Path

import openvino
import torch
from torch import Tensor, nn

from ...errors import ArgumentError, CheckpointError
from ..metadata import KEY
from ..onnx_graph import as_onnx
from . import Opened, check_choice, count_threads

FAILURES = (RuntimeError,)
PRECISIONS = {'fp32': 'f32', 'fp16': 'f16', 'bf16': 'bf16'}


def load(
    source: nn.Module | str | bytes,
    device: torch.device,
    threads: int | None = None,
    precision: str = 'fp32',
    target: str = 'CPU',
) -> Opened:
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
    check_choice('precision', precision, PRECISIONS)
    core = openvino.Core()
    known = core.available_devices
    if target.partition('.')[0].partition(':')[0] not in (*known, 'AUTO', 'MULTI'):
        raise ArgumentError(
            f"target '{target}' is not there: OpenVINO finds {', '.join(known)}"
        )
    properties: dict[str, str | int] = {
        'INFERENCE_PRECISION_HINT': PRECISIONS[precision]
    }
    threads = count_threads(threads)
    if target == 'CPU':
        properties['INFERENCE_NUM_THREADS'] = threads
    if isinstance(source, str) and source.lower().endswith('.xml'):
        weights = Path(source).with_suffix('.bin')
        if not weights.is_file():
            raise CheckpointError(
                f"'{weights}' with the weights of '{source}' is not there: copy it, too"
            )
    model = core.read_model(
        as_onnx(source) if isinstance(source, nn.Module) else source
    )
    request = core.compile_model(model, target, properties).create_infer_request()

    def run(images: Tensor) -> Tensor:
        request.infer([images.cpu().numpy()], share_inputs=True)
        # The next call writes to the same place.
        return torch.from_numpy(request.get_output_tensor(0).data.copy())

    return Opened(run, _metadata_of(model))


def _metadata_of(model: openvino.Model) -> str | None:
    for place in ([KEY], ['framework', KEY]):  # of our IR, and of what ONNX had
        if model.has_rt_info(place):
            return model.get_rt_info(place).astype(str)
    return None
