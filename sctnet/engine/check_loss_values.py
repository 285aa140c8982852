"""Whether the numbers that a loss is given fit it, and the classes of its head."""

from typing import Any

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss, FocalLoss
from torch import nn

from ..errors import ConfigError


def check_weights(place: str, loss: nn.Module, head: BaseDecodeHead) -> None:
    """See that the weights of classes are numbers, one for each; raises ConfigError."""
    weights = getattr(loss, 'class_weight', None)
    if weights is None:
        return
    place = f'{place}.class_weight'
    try:
        # A loss of mmseg's that does not read files; a file of names and numbers.
        if isinstance(weights, str | dict):
            raise ValueError
        values = torch.as_tensor([float(value) for value in weights])
    except (TypeError, ValueError):
        values = torch.tensor([torch.nan])
    if not values.isfinite().all() or (values < 0).any() or not values.any():
        raise ConfigError(
            f'{place} is {weights!r}: set it to a list of numbers from 0 up, one for '
            'each class'
        )
    if _is_sigmoid(loss):
        if head.out_channels > 1:
            raise ConfigError(
                f'{place}: mmseg cannot weigh classes with use_sigmoid=True; leave the '
                'weights or use_sigmoid out, or take FocalLoss, which has both'
            )
        if len(values) != 1:
            raise ConfigError(
                f'{place} has {len(values)} values and one channel takes one, what a '
                'pixel of label 1 counts: set it to a list of one number'
            )
    elif len(values) != head.out_channels:
        raise ConfigError(
            f'{place} has {len(values)} values and there are {head.out_channels} '
            'classes: give one weight for each class, in the order of the labels'
        )


def check_focal(place: str, loss: nn.Module, head: BaseDecodeHead) -> None:
    """See that alpha and gamma of a focal loss are in range; raises ConfigError."""
    if not isinstance(loss, FocalLoss):
        return
    for key, most in (('alpha', 1), ('gamma', float('inf'))):
        one = getattr(loss, key)
        if isinstance(one, int | float) and not 0 <= one <= most:
            to = ' to 1' if most == 1 else ' up'
            raise ConfigError(f'{place}.{key} is {one}: set it to a number from 0{to}')
    values: Any = loss.alpha
    listed = isinstance(values, list)
    if listed and len(values) not in (1, head.out_channels):
        raise ConfigError(
            f'{place}.alpha has {len(values)} values and there are {head.out_channels} '
            'classes: give one for each class, in the order of the labels, or one '
            'number for all'
        )


def _is_sigmoid(loss: nn.Module) -> bool:
    return isinstance(loss, CrossEntropyLoss) and loss.use_sigmoid
