"""Freed memory, given back to the system."""

import ctypes
from collections.abc import Callable
from functools import cache

import torch


def give_back_freed_memory(device: torch.device) -> None:
    """Let the C library return what it keeps of freed memory, where it can.

    The teacher, the student and the losses free blocks of sizes that gradients cannot
    use; kept, they add up to a twentieth of the process. It takes some milliseconds on
    a CPU with glibc, and does nothing elsewhere.
    """
    trim = _trim()
    if device.type == 'cpu' and trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # musl, macOS, Windows
        return None
