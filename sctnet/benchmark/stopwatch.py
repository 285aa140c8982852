"""Where the time of a call goes: its pieces are timed while it runs."""

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple
from unittest.mock import patch

from .measure import waiter


class Piece(NamedTuple):
    """A function that a call goes through, as an attribute of its owner."""

    owner: Any  # an instance, a class or a module
    name: str
    stage: str


class Stopwatch:
    """A call that adds up the seconds of its pieces.

    Args:
        call: what is called.
        pieces: what it goes through, none inside another. Nothing is replaced but
            these names, by functions that look at the clock before and after, and only
            while the call runs.
        stages: all of them, in order; the last is what no piece takes.
        device: on a GPU each piece waits for it, so that its work counts as its own.
    """

    def __init__(
        self,
        call: Callable[[], object],
        pieces: Iterable[Piece],
        stages: Sequence[str],
        device: str = 'cpu',
    ) -> None:
        self._call = call
        self._pieces = tuple(pieces)
        self._synchronise = waiter(device)
        self._stages = tuple(stages)
        self.seconds: dict[str, float] = {}

    def __call__(self) -> None:
        """Call once; ``seconds`` then holds its stages in their order."""
        self.seconds = dict.fromkeys(self._stages, 0.0)
        with ExitStack() as patches:
            for owner, name, stage in self._pieces:
                timed = self._timed(getattr(owner, name), stage)
                patches.enter_context(patch.object(owner, name, timed))
            start = time.perf_counter()
            self._call()
            self._synchronise()
            total = time.perf_counter() - start
        self.seconds[self._stages[-1]] = total - sum(self.seconds.values())

    def _timed(self, function: Callable, stage: str) -> Callable:
        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._synchronise()
            start = time.perf_counter()
            result = function(*args, **kwargs)
            self._synchronise()
            self.seconds[stage] += time.perf_counter() - start
            return result

        return timed
