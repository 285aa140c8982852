"""One cast of all weights in the place of autocast's cast of each.

Autocast casts a layer's weights where it meets them, and their gradients on the way
back: on a GPU four launches a layer. Here one operation casts those of many layers, and
one brings all their gradients back. The numbers are the same, but for the keys of a
:class:`ConvAttention`, which are values too: their two gradients are added before they
are cast, not after.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmcv.cnn.bricks import wrappers
from torch import Tensor, nn

from ..cf_block import ConvAttention

# Autocast computes with all direct parameters of these, and exactly these, in half
# precision; a layer that is derived from one of them may use its weights otherwise.
PLAIN_LAYERS = (nn.Conv2d, nn.Linear, wrappers.Conv2d, wrappers.Linear)
_LAYERS = (*PLAIN_LAYERS, ConvAttention)


def autocast_dtype(device: str) -> torch.dtype | None:
    """Return what autocast computes in on ``device``, a type; None where it is off."""
    on = torch.is_autocast_enabled(device)
    return torch.get_autocast_dtype(device) if on else None


@contextmanager
def weights_cast_at_once(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Inside autocast, give the layers of ``parts`` weights that are cast already.

    Elsewhere, and of parameters that are not in float32, nothing changes. The
    parameters themselves stay where they are for all others: gradients reach them, and
    one operation a part casts them.
    """
    places = [place for part in parts for place in _cast(part)]
    try:
        for layer, name, half, _ in places:
            layer._parameters[name] = half
        yield
    finally:
        for layer, name, _, parameter in places:
            layer._parameters[name] = parameter


def _cast(part: nn.Module) -> list[tuple[nn.Module, str, Any, nn.Parameter]]:
    found = {}  # a parameter that two layers share is cast once
    for layer in part.modules():
        if type(layer) in _LAYERS:
            for name, parameter in layer._parameters.items():
                if parameter is not None and parameter.dtype == torch.float32:
                    found[layer, name] = parameter
    weights = list({id(p): p for p in found.values()}.values())
    dtype = autocast_dtype(weights[0].device.type) if weights else None
    if dtype is None:
        return []
    halves: dict[int, Tensor] = {}
    for learns in (True, False):  # what is frozen must not seem to want gradients
        some = [weight for weight in weights if weight.requires_grad is learns]
        with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
            cast = _CastAll.apply(dtype, *some) if some else ()
        halves |= zip(map(id, some), cast, strict=True)
    return [(layer, name, halves[id(p)], p) for (layer, name), p in found.items()]


class _CastAll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        halves = [torch.empty_like(weight, dtype=dtype) for weight in weights]
        torch._foreach_copy_(halves, [weight.detach() for weight in weights])
        return tuple(halves)

    @staticmethod
    def backward(ctx: Any, *halves: Tensor | None) -> tuple[Tensor | None, ...]:
        gradients = [
            None if half is None else torch.empty_like(half, dtype=torch.float32)
            for half in halves
        ]
        torch._foreach_copy_(
            [one for one in gradients if one is not None],
            [half for half in halves if half is not None],
        )
        return None, *gradients
