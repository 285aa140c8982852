"""Half precision: where it may be had, and where it will not do."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

HALF = {'bf16': torch.bfloat16, 'fp16': torch.float16}


def full_precision(x: Tensor) -> Tensor:
    """Return ``x`` in float32 if it is in half precision, else as it is."""
    return x.float() if x.element_size() < 4 else x


def half_precision(dtype: str | None, device: torch.device) -> AbstractContextManager:
    """Autocast to ``bf16`` or ``fp16``; None leaves the surroundings as they are."""
    return nullcontext() if dtype is None else torch.autocast(device.type, HALF[dtype])
