"""What a call starts on a GPU, recorded once for each size of input and replayed.

A replay is one launch: the host, which is the brake on small networks, has nothing left
to do.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_WARM_UP = 3  # libraries choose their kernels before recording
_OFTEN = 3  # a size that comes so often comes again


class Recorded:
    """Replays a CUDA graph of ``run`` for each size and type of its input.

    Args:
        run: from a tensor on a GPU to tensors there, in any structure; it may not wait
            for the GPU.
        kept: how many sizes are kept, each with the memory of a whole run.
    """

    def __init__(self, run: Callable[[Tensor], Any], kept: int = 4) -> None:
        self.run = run
        self.kept = kept
        self._graphs: dict[Any, tuple[torch.cuda.CUDAGraph, Tensor, Any]] = {}
        self._lock = threading.Lock()
        self._seen: Counter[Any] = Counter()

    def pays(self, x: Tensor) -> bool:
        """Whether inputs like ``x`` came often enough, and there is room for them."""
        key = _kind(x)
        if key not in self._graphs and len(self._graphs) < self.kept:
            self._seen[key] += 1
            return self._seen[key] >= _OFTEN
        return key in self._graphs

    def __call__(
        self, x: Tensor, finish: Callable[[Any], Any] = lambda outputs: outputs
    ) -> Any:
        """Run on ``x`` and return what ``finish`` makes of the outputs.

        The next call writes to the same outputs: ``finish`` copies what is to stay.
        """
        with self._lock, torch.cuda.device(x.device):
            key = _kind(x)
            recorded = self._graphs.pop(key, None) or self._record(x)
            self._graphs[key] = recorded  # the last used is the last to go
            while len(self._graphs) > self.kept:
                del self._graphs[next(iter(self._graphs))]
            graph, place, outputs = recorded
            place.copy_(x)
            graph.replay()
            return finish(outputs)

    def _record(self, x: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Any]:
        place = x.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                self.run(place)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as a loader's that pins memory, may call CUDA meanwhile.
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):
            outputs = self.run(place)
        return graph, place, outputs


def _kind(x: Tensor) -> Any:
    return x.shape, x.dtype, x.device
