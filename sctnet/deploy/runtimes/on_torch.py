"""torch itself: on any device, optionally compiled, in half precision or as a graph."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...errors import ArgumentError
from . import Opened, check_choice

FAILURES = ()  # torch's errors are told as they are
DTYPES = {'fp32': torch.float32, 'fp16': torch.float16, 'bf16': torch.bfloat16}

Run = Callable[[Tensor], Tensor]


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

    return Opened(_Recorded(run, device) if cuda_graphs else run)


class _Recorded:
    """Replays a CUDA graph for each size of input; the last few sizes are kept."""

    KEPT = 4  # each holds the memory of a whole run

    def __init__(self, run: Run, device: torch.device) -> None:
        self.run = run
        self.device = device
        self.graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, images: Tensor) -> Tensor:
        with torch.cuda.device(self.device):
            return self._replay(images)

    def _replay(self, images: Tensor) -> Tensor:
        recorded = self.graphs.pop(images.shape, None) or self._record(images)
        self.graphs[images.shape] = recorded  # the last used is the last to go
        while len(self.graphs) > self.KEPT:
            del self.graphs[next(iter(self.graphs))]
        graph, inputs, logits = recorded
        inputs.copy_(images)
        graph.replay()
        return logits.clone()  # the next replay writes to the same place

    def _record(self, images: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        inputs = images.to(self.device, copy=True)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries choose their kernels before recording
            for _ in range(3):
                self.run(inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            logits = self.run(inputs)
        return graph, inputs, logits
