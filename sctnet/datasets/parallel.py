"""One function over many tasks in several processes, in which single ones may fail."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from types import FrameType
from typing import Any, Protocol

from ..errors import ArgumentError, OutputError, SCTNetError

_AHEAD = 4  # tasks a worker has waiting
_FEW = 20  # tasks that are done before another process has started


class Task(Protocol):
    """What can be pickled and named."""

    @property
    def name(self) -> str:
        """As the user is told of it."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its value, or one sentence why there is none."""

    task: Any
    value: Any
    failure: str | None


def default_workers(tasks: int) -> int:
    """Return the number of cores of this process, at most 16; 0 for few tasks."""
    if tasks < _FEW:
        return 0
    affinity = getattr(os, 'sched_getaffinity', None)
    return min(16, len(affinity(0)) if affinity else os.cpu_count() or 1)


def run_all(
    function: Callable[[Any], Any], tasks: Sequence[Any], workers: int | None
) -> Iterator[Outcome]:
    """Yield what ``function`` makes of each task, in the order of completion.

    A task that raises, or takes its process down with it, costs no other.

    Args:
        function: at the top level of a module, or a ``partial`` of such.
        tasks: see :class:`Task`.
        workers: processes; 0 works in this one, None takes one a core for many tasks.

    Raises:
        ArgumentError: ``workers`` is negative.
        OutputError: results cannot be written; no further task is begun.
    """
    workers = default_workers(len(tasks)) if workers is None else workers
    if workers < 0:
        raise ArgumentError(f'--workers is {workers}: expected 0 or more')
    if workers == 0:
        for task in tasks:
            yield Outcome(task, *_attempt(function, task))
        return
    queue = deque(tasks)
    while queue:
        suspects = yield from _run_pool(function, queue, min(workers, len(queue)))
        for task in suspects:  # one of them ended its process: each on its own
            if (yield from _run_pool(function, deque([task]), 1)):
                failure = (
                    f"'{task.name}' ended its process (a crash, or no memory left): "
                    'check that file, or take fewer --workers'
                )
                yield Outcome(task, None, failure)


def _attempt(function: Callable[[Any], Any], task: Task) -> tuple[Any, str | None]:
    try:
        return function(task), None
    except OutputError:
        raise
    except SCTNetError as error:
        return None, str(error)
    except Exception as error:
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        return None, f"'{task.name}' failed ({reason}): check that file"


def _run_pool(
    function: Callable[[Any], Any], queue: deque[Any], workers: int
) -> Generator[Outcome, None, list[Any]]:
    """Work off ``queue``; return what was under way if a process died, else nothing."""
    waiting: dict[Future, Any] = {}
    pool = ProcessPoolExecutor(workers, mp_context=_context(), initializer=_start)
    try:
        while queue or waiting:
            with _late_interrupt():  # a half-started process would print a traceback
                while queue and len(waiting) < workers * _AHEAD:
                    future = pool.submit(_attempt, function, queue[0])
                    waiting[future] = queue.popleft()
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                value, failure = future.result()
                yield Outcome(waiting.pop(future), value, failure)
    except BrokenProcessPool:
        return list(waiting.values())
    finally:
        pool.shutdown(cancel_futures=True)
    return []


def _context() -> BaseContext:
    """Return how processes start: never as a copy of this one, whose threads run."""
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([__name__])  # torch is imported once, not each time
    if _gets_signals():
        # It inherits that an interrupt is ignored, also while it imports.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            forkserver.ensure_running()
        finally:
            signal.signal(signal.SIGINT, before)
    return context


def _gets_signals() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _late_interrupt() -> Iterator[None]:
    """Let an interrupt wait until the block has ended."""
    if not _gets_signals():
        yield
        return
    seen: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda *args: seen.append(args))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if seen and callable(before):
        before(*seen[0])


def _start() -> None:
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
