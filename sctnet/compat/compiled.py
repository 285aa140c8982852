"""Functions that Numba compiles, wherever it can keep what it made."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from mmengine.logging import print_log


def compiled(**options: Any) -> Callable[[Callable], Callable]:
    """Compile a function with Numba; kept on the disk where there is a folder for it.

    Args:
        **options: of ``numba.njit``.
    """

    def decorate(function: Callable) -> Callable:
        try:
            return numba.njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # for instance a container's user without a home
            _say_that_nothing_is_kept()
            return numba.njit(nogil=True, **options)(function)

    return decorate


@cache
def _say_that_nothing_is_kept() -> None:
    print_log(
        'Numba finds no folder to keep what it compiles: each process takes some '
        'seconds more for its first label map; set NUMBA_CACHE_DIR to a folder that '
        'can be written',
        logger='current',
        level=logging.WARNING,
    )
