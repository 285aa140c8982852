"""One function over many tasks in threads, of which single ones may fail.

Threads and no processes: decoding, encoding, unpacking and most of numpy leave Python
free, and there is nothing to pickle, to start or to watch.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ..errors import ArgumentError, OutputError, SCTNetError

Task = TypeVar('Task')
Value = TypeVar('Value')

_AHEAD = 8  # tasks a thread has waiting: memory stays small, threads busy


def default_workers() -> int:
    """Return the number of cores that this process may use, at most 16."""
    affinity = getattr(os, 'sched_getaffinity', None)
    return min(16, len(affinity(0)) if affinity else os.cpu_count() or 1)


def run_all(
    function: Callable[[Task], Value], tasks: Iterable[Task], workers: int | None = None
) -> Generator[tuple[Task, Value | SCTNetError], None, None]:
    """Yield each task with what ``function`` makes of it, in the order of the tasks.

    A task that raises an :class:`SCTNetError` yields that; any other exception is
    raised here, with its traceback. Whoever leaves the loop early closes the iterator
    (``contextlib.closing``), which waits for the tasks that run and begins no other.

    Args:
        function: is called in several threads at a time.
        tasks: any.
        workers: threads; 0 works in the caller's, None takes one a core.

    Raises:
        ArgumentError: ``workers`` is negative.
        OutputError: a task cannot write its results; no further one is begun.
    """
    count = default_workers() if workers is None else workers
    if count < 0:
        raise ArgumentError(f'--workers is {workers}: expected 0 or more')
    if count == 0:
        for task in tasks:
            yield task, _attempt(function, task)
        return
    waiting: deque[tuple[Task, Future[Value | SCTNetError]]] = deque()
    pool = ThreadPoolExecutor(count)
    try:
        for task in tasks:
            waiting.append((task, pool.submit(_attempt, function, task)))
            if len(waiting) == count * _AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for task, future in waiting:
            yield task, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _attempt(function: Callable[[Task], Value], task: Task) -> Value | SCTNetError:
    try:
        return function(task)
    except OutputError:
        raise
    except SCTNetError as error:
        return error
