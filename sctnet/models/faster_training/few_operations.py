"""A student's forward pass in fewer operations than its layers ask for one by one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn

from ..backbone import SCTNet, SCTNetFeatures
from ..head import SCTHead
from .cast_weights import weights_cast_at_once
from .count_batches import batches_counted_at_once


@contextmanager
def in_few_operations(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Cast the weights of ``parts`` once, and count the batch in all norms at once.

    Args:
        parts: backbone and heads, which run once inside.
    """
    parts = list(parts)
    counted = [part for part in parts if _runs_every_norm(part)]
    with weights_cast_at_once(parts), batches_counted_at_once(counted):
        yield


def _runs_every_norm(part: nn.Module) -> bool:
    if isinstance(part, SCTNet):
        return len(part.out_indices) == len(SCTNetFeatures._fields)
    return isinstance(part, SCTHead)
