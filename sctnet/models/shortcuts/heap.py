"""Freed memory, given back to the system."""

import ctypes
from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor


def give_back_freed_memory(device: torch.device) -> None:
    """Let the C library return what it keeps of freed memory, where it can.

    The teacher, the student and the losses free blocks of sizes that gradients cannot
    use; kept, they add up to a twentieth of the process. It takes some milliseconds on
    a CPU with glibc, and does nothing elsewhere.
    """
    trim = _trim()
    if device.type == 'cpu' and trim is not None:
        trim(0)


def give_back_in_backward(features: Iterable[Tensor]) -> None:
    """Do so in the backward pass, when it reaches each of ``features``."""
    for feature in features:
        if feature.requires_grad and feature.device.type == 'cpu':
            feature.register_hook(lambda x: give_back_freed_memory(x.device))


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # musl, macOS, Windows
        return None
