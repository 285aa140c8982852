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
    """Replays a CUDA graph of a call for each size and type of its input.

    Copies and pickles hold no graph.

    Args:
        kept: how many sizes are kept, each with the memory of a whole run.
    """

    def __init__(self, kept: int = 4) -> None:
        self.kept = kept
        self._graphs: dict[Any, tuple[torch.cuda.CUDAGraph, Tensor, Any]] = {}
        self._lock = threading.Lock()
        self._seen: Counter[Any] = Counter()

    def __reduce__(self) -> tuple[type, tuple]:
        return type(self), (self.kept,)

    def pays(self, x: Tensor) -> bool:
        """Whether inputs like ``x`` came often enough, and there is room for them."""
        key = _kind(x)
        if key not in self._graphs and len(self._graphs) < self.kept:
            self._seen[key] += 1
            return self._seen[key] >= _OFTEN
        return key in self._graphs

    def __call__(
        self,
        run: Callable[[Tensor], Any],
        x: Tensor,
        finish: Callable[[Any], Any] = lambda outputs: outputs,
    ) -> Any:
        """Return what ``finish`` makes of the outputs of ``run(x)``.

        The next call writes to the same outputs: ``finish`` copies what is to stay.

        Args:
            run: from a tensor on a GPU to tensors there, in any structure; the same in
                every call. It may not wait for the GPU.
            x: its input.
            finish: by default returns the outputs themselves.
        """
        with self._lock, torch.cuda.device(x.device):
            key = _kind(x)
            recorded = self._graphs.pop(key, None) or self._record(run, x)
            self._graphs[key] = recorded  # the last used is the last to go
            while len(self._graphs) > self.kept:
                del self._graphs[next(iter(self._graphs))]
            graph, place, outputs = recorded
            place.copy_(x)
            graph.replay()
            return finish(outputs)

    def _record(
        self, run: Callable[[Tensor], Any], x: Tensor
    ) -> tuple[torch.cuda.CUDAGraph, Tensor, Any]:
        place = x.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                run(place)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Other threads, such as a loader's that pins memory, may call CUDA meanwhile.
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):
            outputs = run(place)
        return graph, place, outputs


def _kind(x: Tensor) -> Any:
    return x.shape, x.dtype, x.device
