"""One addition to the counters of all batch norms in the place of one in each."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class _Uncounted:
    """Stands where a norm adds its batch; SyncBN does not take None there."""

    def add_(self, count: int) -> None:
        """Do nothing."""


UNCOUNTED: Any = _Uncounted()


@contextmanager
def batches_counted_at_once(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Count a batch in every training norm of ``parts``, each of which must see one."""
    norms = [
        module
        for part in parts
        for module in part.modules()
        if isinstance(module, _BatchNorm)
        and module.training
        and module.num_batches_tracked is not None
        and module.momentum is not None  # else its average needs the count
    ]
    counters = [norm._buffers['num_batches_tracked'] for norm in norms]
    try:
        for norm in norms:
            norm._buffers['num_batches_tracked'] = UNCOUNTED
        yield
        if counters:
            torch._foreach_add_(counters, 1)  # type: ignore[arg-type]
    finally:
        for norm, counter in zip(norms, counters, strict=True):
            norm._buffers['num_batches_tracked'] = counter
