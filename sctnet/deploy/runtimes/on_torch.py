"""torch itself: on any device, optionally compiled, in half precision or as a graph."""

import torch
from torch import Tensor, nn

from ...errors import ArgumentError
from ...prediction.recorded import Recorded
from . import Opened, check_choice

FAILURES = ()  # torch's errors are told as they are
DTYPES = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}


def load(
    source: nn.Module,
    device: torch.device,
    dtype: str = 'fp32',
    channels_last: bool = False,
    compile: bool = False,
    cuda_graphs: bool = False,
) -> Opened:
    """Run a network with torch.

    Args:
        source: the network; it is moved and converted, not copied.
        device: where it runs.
        dtype: ``fp32``, ``fp16`` or ``bf16``; the logits are float32 in any case.
        channels_last: memory format; faster on most devices.
        compile: with ``torch.compile``: minutes at first, faster afterwards.
        cuda_graphs: record the first run of each input size and replay it, on a GPU.

    Raises:
        ArgumentError: an option does not go with the device.
    """
    check_choice('dtype', dtype, DTYPES)
    if cuda_graphs and device.type != 'cuda':
        raise ArgumentError(f"cuda_graphs needs a GPU but the device is '{device}'")
    layout = torch.channels_last if channels_last else torch.contiguous_format
    source = source.to(device, DTYPES[dtype]).eval()
    source = source.to(memory_format=layout)  # type: ignore[call-overload]
    network = torch.compile(source) if compile else source

    @torch.no_grad()
    def run(images: Tensor) -> Tensor:
        images = images.to(device, DTYPES[dtype], memory_format=layout)
        return network(images).float()

    if not cuda_graphs:
        return Opened(run)
    recorded = Recorded()
    return Opened(lambda images: recorded(run, images.to(device), torch.clone))
