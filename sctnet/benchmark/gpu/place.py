"""Where the check of a GPU runs: its device, how it times there, in what precision."""

import contextlib
import gc
import io
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch

from ..measure import waiter

T = TypeVar('T')
Facts = dict[str, Any]  # by name, with the unit in it; 'ok' is a verdict


class Task(NamedTuple):
    """One case of a section: what it is called, and what measures it."""

    case: str
    needs: float  # seconds that it may take on a GPU
    measure: Callable[[], Facts]


Tasks = Iterator[Task]  # what a section yields


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

    def peak_mib(self) -> int | None:
        """Return the most that torch had allocated on a GPU since the last look."""
        if not self.gpu:
            return None
        peak = torch.cuda.max_memory_allocated() >> 20
        torch.cuda.reset_peak_memory_stats()
        return peak

    def time(self, call: Callable[[], object], seconds: float = 0.5) -> Facts:
        """Time ``call`` by the median of single calls and the mean of many in a row.

        The first is what one waits for. Nothing waits between the calls of the second:
        where the host is the brake it equals the first, on a busy GPU it is less.
        """
        single = row = self.seconds_of(call, self.pick(3, 1))  # the first are slow
        if not self.small:
            count = max(5, min(100, int(seconds / max(self.seconds_of(call), 1e-5))))
            single = statistics.median(self.seconds_of(call) for _ in range(count))
            row = self.seconds_of(call, count)
        return {'single_ms': round(1e3 * single, 3), 'in_a_row_ms': round(1e3 * row, 3)}

    def seconds_of(self, call: Callable[[], object], count: int = 1) -> float:
        """Time calls in a row with all that they ask of the device; return the mean."""
        wait = waiter(self.device)
        wait()
        start = time.perf_counter()
        for _ in range(count):
            call()
        wait()
        return (time.perf_counter() - start) / count


@contextlib.contextmanager
def convolutions(place: Place, tf32: bool, search: bool = True) -> Iterator[None]:
    """Let float32 convolutions of a GPU round to TF32, or not.

    Args:
        place: where.
        tf32: torch's default is True; matrix products stay in float32.
        search: for the fastest algorithm of each size, as the recipes do.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, cudnn.benchmark = tf32, search and place.gpu
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.benchmark = before


def quietly(call: Callable[..., T], *args: Any) -> T:
    """Call without what mmseg prints of the weights that it loads."""
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*args)
