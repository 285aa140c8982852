"""Weights of a network for images of another number of bands."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

_FEW = 16  # a first convolution of fewer channels takes bands, one of more features


def first_bands(network: nn.Module) -> int:
    """Return how many bands the first convolution of ``network`` takes, or else 3."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            return module.in_channels
    return 3


def adapt_bands(
    own: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Fit the first convolution of ``weights`` to the bands of ``own``.

    More bands than the file's: the file's are kept as they are, in their order, and
    each new one starts at their mean. Fewer: each starts at the file's sum divided by
    their number, so that an image which is equal in all bands gives what it gave.

    Args:
        own: the network's state dict.
        weights: a file's, under the same names; its tensors are not changed.

    Returns:
        The weights; :func:`explain_bands` says what was changed.
    """
    name = first_convolution(own)
    adapted = dict(weights)
    if name is None or name not in weights:
        return adapted
    wanted, found = own[name], weights[name]
    alike = found.dim() == 4 and _without_bands(wanted) == _without_bands(found)
    old, new = (w.shape[1] if w.dim() == 4 else 0 for w in (found, wanted))
    if not alike or old == new or min(old, new) > _FEW:
        return adapted
    if new > old:
        mean = found.mean(1, keepdim=True)
        adapted[name] = torch.cat([found, *[mean] * (new - old)], dim=1)
    else:
        adapted[name] = found.sum(1, keepdim=True).repeat(1, new, 1, 1) / new
    return adapted


def explain_bands(own: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str:
    """Say what :func:`adapt_bands` did to ``weights``; '' where it did nothing."""
    adapted = adapt_bands(own, weights)
    name = first_convolution(own)
    if name is None or adapted.get(name) is weights.get(name):
        return ''
    part, old, new = name.rpartition('.')[0], weights[name].shape[1], own[name].shape[1]
    if new > old:
        how = f'the first {old} are those of the file, the others start at their mean'
    else:
        how = f'each starts at the sum of the {old} in the file divided by {new}'
    return f'{part} has {new} bands: {how}'


def first_convolution(weights: Mapping[str, Tensor]) -> str | None:
    """Return the name of the first weight of a convolution in a state dict."""
    return next((name for name, weight in weights.items() if weight.dim() == 4), None)


def _without_bands(weight: Tensor) -> tuple[int, ...]:
    return weight.shape[:1] + weight.shape[2:]
