"""Where the check of a GPU runs, and how it times there."""

import contextlib
import gc
import io
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch

T = TypeVar('T')
Facts = Iterator[dict[str, Any]]  # what a section yields; 'ok' is its verdict


class Place(NamedTuple):
    """A device, and whether everything is done in small."""

    device: str
    small: bool

    @property
    def gpu(self) -> bool:
        """Whether it is a GPU."""
        return self.device.startswith('cuda')

    def pick(self, large: T, small: T) -> T:
        """Choose by how large things are here."""
        return small if self.small else large

    def free(self) -> None:
        """Give memory back, and count its peak anew."""
        gc.collect()
        if self.gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def milliseconds(self, call: Callable[[], object], seconds: float = 0.5) -> list:
        """Return the median of single calls, and the mean of many without waits.

        The first is what one waits for; where the host is the brake the second equals
        it, and on a busy GPU it is less.
        """
        for _ in range(self.pick(3, 0)):
            call()
        count = int(seconds / max(self._timed(call), 1e-5))
        count = self.pick(max(5, min(100, count)), 1)
        single = [self._timed(call) for _ in range(count)]
        in_a_row = self._timed(lambda: [call() for _ in range(count)]) / count
        return [round(1e3 * t, 3) for t in (statistics.median(single), in_a_row)]

    def _timed(self, call: Callable[[], object]) -> float:
        wait = torch.cuda.synchronize if self.gpu else lambda: None
        wait()
        start = time.perf_counter()
        call()
        wait()
        return time.perf_counter() - start


def quietly(call: Callable[..., T], *args: Any) -> T:
    """Call without what mmseg prints of the weights that it loads."""
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*args)
