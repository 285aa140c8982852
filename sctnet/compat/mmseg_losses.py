"""Two losses of mmseg's that fail on ordinary batches, mended where they are.

Each function is called by the import hook, once its module is imported.
"""

import functools
from typing import Any

import torch

from .gaps import stand_in_for_missing_ops


def weigh_ignored_pixels() -> None:
    """Let mmseg's weighted cross entropy meet pixels whose label is no class.

    It looks up the weight of every pixel's label to average by them, also of the 255 of
    pixels that are to be ignored, for which there is none. They count 0, as they do in
    the sum; where all labels have a weight nothing changes.
    """
    from mmseg.models.losses import cross_entropy_loss as module

    original = module.cross_entropy

    @functools.wraps(original)
    def cross_entropy(pred: Any, label: Any, *args: Any, **kwargs: Any) -> Any:
        weights = kwargs.get('class_weight')
        averaged = kwargs.get('reduction', 'mean') == 'mean'
        if weights is not None and averaged and kwargs.get('avg_factor') is None:
            counted = (label >= 0) & (label < len(weights))
            if kwargs.get('avg_non_ignore'):
                counted &= label != kwargs.get('ignore_index', -100)
            found = weights[label.where(counted, label.new_zeros(()))]
            kwargs['avg_factor'] = found.where(counted, found.new_zeros(())).sum()
        return original(pred, label, *args, **kwargs)

    module.cross_entropy = cross_entropy


def compute_focal_loss_anywhere() -> None:
    """Compute mmseg's focal loss of label maps by torch where mmcv's op is not.

    mmseg's own code for that gives the loss the labels of a class that is not there.
    The numbers are those of the op.
    """
    from mmseg.models.losses import focal_loss as module

    original = module.FocalLoss.forward

    @functools.wraps(original)
    def forward(
        self: Any,
        pred: Any,
        target: Any,
        weight: Any = None,
        avg_factor: Any = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> Any:
        compiled = pred.is_cuda and not stand_in_for_missing_ops()
        if pred.shape == target.shape or (compiled and weight is None):
            rest = (weight, avg_factor, reduction_override, ignore_index)
            return original(self, pred, target, *rest, **kwargs)
        channels = pred.shape[1]
        counted = target != ignore_index
        # One channel shows label 1.
        labels = torch.arange(channels, device=target.device) + (channels == 1)
        labels = labels.view(-1, *[1] * (target.dim() - 1))
        one_hot = target.unsqueeze(1) == labels
        reduction = reduction_override or self.reduction
        loss = module.py_sigmoid_focal_loss(
            pred.movedim(1, -1).reshape(-1, channels),
            one_hot.movedim(1, -1).reshape(-1, channels),
            weight=None if weight is None else weight.reshape(-1),
            gamma=self.gamma,
            alpha=self.alpha,
            class_weight=self.class_weight,
            valid_mask=counted.reshape(-1, 1),
            reduction=reduction,
            avg_factor=avg_factor,
        )
        if reduction == 'none':
            loss = loss.reshape(*target.shape, channels).movedim(-1, 1)
        return self.loss_weight * loss

    module.FocalLoss.forward = forward
