"""Activation checkpointing that a batch norm does not notice."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

from .faster_training.count_batches import UNCOUNTED


def checkpointed(module: nn.Module, x: Tensor) -> Tensor:
    """Return ``module(x)``, keeping ``x`` alone and computing the rest again for it.

    What is random (drop path) is drawn as before, autocast is as before, and running
    statistics of norms are updated once: torch's own would do so twice.
    """

    def contexts() -> tuple[AbstractContextManager, AbstractContextManager]:
        return nullcontext(), _without_statistics(module)

    return checkpoint(module, x, use_reentrant=False, context_fn=contexts)


@contextmanager
def _without_statistics(module: nn.Module) -> Iterator[None]:
    """Let norms in training mode normalise by the batch and remember nothing.

    They still see their statistics, of which as many tensors must be kept as before.
    """
    norms = [
        (norm, norm.momentum, norm._buffers['num_batches_tracked'])
        for norm in module.modules()
        if isinstance(norm, _NormBase) and norm.num_batches_tracked is not None
    ]
    for norm, _, _ in norms:
        norm.momentum = 0.0
        norm._buffers['num_batches_tracked'] = UNCOUNTED
    try:
        yield
    finally:
        for norm, momentum, batches in norms:
            norm.momentum = momentum
            norm._buffers['num_batches_tracked'] = batches
