"""Threads for the kernels that Numba compiles."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Item = TypeVar('Item')
Result = TypeVar('Result')


def map_parts(
    work: Callable[[Item], Result], parts: Iterable[Item], threads: int | None = None
) -> list[Result]:
    """Call ``work``, which must release the GIL, for all parts; results in order.

    On as many threads as torch takes, or ``threads``. They are our own, because Numba's
    fork-join layers may not be entered by two at once.
    """
    parts = list(parts)
    threads = min(threads or torch.get_num_threads(), len(parts))
    if threads <= 1:
        return [work(part) for part in parts]
    return list(_pool(threads, os.getpid()).map(work, parts))


@cache
def _pool(threads: int, pid: int) -> ThreadPoolExecutor:
    """Return the threads of this process; those of a forked parent do not run here."""
    return ThreadPoolExecutor(threads, 'sctnet')
