"""A decode head's losses and accuracy straight from its small logits."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.utils import SampleList
from torch import Tensor, nn

from ..pixel_cross_entropy import PixelCrossEntropyLoss
from .cross_entropy import upsampled_cross_entropy

EPS = torch.finfo(torch.float32).eps  # mmseg's, in averages and accuracies


def can_fuse_losses(head: BaseDecodeHead) -> bool:
    """Whether :func:`head_losses` computes what the head's own ``loss`` does.

    Not where it has a ``loss`` of its own, samples pixels (OHEM), upsamples with
    ``align_corners``, or has losses other than averaged or summed cross entropy.
    """
    plain = all(
        getattr(type(head), name) is getattr(BaseDecodeHead, name)
        for name in ('loss', 'loss_by_feat')
    )
    return (
        plain
        and head.sampler is None
        and not head.align_corners
        and head.out_channels > 1
        and all(map(_is_cross_entropy, _losses_of(head)))
    )


def _losses_of(head: BaseDecodeHead) -> Sequence[nn.Module]:
    several = isinstance(head.loss_decode, nn.ModuleList)
    return list(head.loss_decode) if several else [head.loss_decode]


def _is_cross_entropy(loss: nn.Module) -> bool:
    if type(loss) is PixelCrossEntropyLoss:
        return True
    return (
        type(loss) is CrossEntropyLoss
        and not loss.use_sigmoid
        and not loss.use_mask
        and loss.reduction != 'none'
    )


def head_losses(
    head: BaseDecodeHead, features: tuple[Tensor, ...], samples: SampleList
) -> dict[str, Tensor]:
    """Return what ``head.loss`` does: weighted losses, and ``acc_seg`` in percent.

    Args:
        head: one that :func:`can_fuse_losses` says yes to.
        features: of the backbone, maps (N, C_i, h_i, w_i).
        samples: N of them, with label maps (1, H, W).

    Raises:
        DataError: on a CPU, a label is outside the classes.
    """
    logits = head(features)
    labels = head._stack_batch_gt(samples).squeeze(1)
    losses: dict[str, Tensor] = {}
    loss: Any
    for loss in _losses_of(head):
        weight = _class_weight(loss, logits)
        total, correct = upsampled_cross_entropy(
            logits, labels, weight, head.ignore_index
        )
        value = loss.loss_weight * total / _divisor(loss, labels, weight, head)
        losses[loss.loss_name] = losses.get(loss.loss_name, 0) + value
    counted = (labels != head.ignore_index).sum()
    losses['acc_seg'] = (correct + EPS).reshape(1) * 100 / (counted + EPS)
    return losses


def _class_weight(loss: CrossEntropyLoss, logits: Tensor) -> Tensor | None:
    """Return what each class counts (K,), not in half precision."""
    if loss.class_weight is None:
        return None
    kind = torch.promote_types(logits.dtype, torch.float32)
    return torch.as_tensor(loss.class_weight, dtype=kind, device=logits.device)


def _divisor(
    loss: CrossEntropyLoss, labels: Tensor, weight: Tensor | None, head: BaseDecodeHead
) -> Tensor | float:
    """Return what the sum over pixels is divided by."""
    if type(loss) is PixelCrossEntropyLoss:
        return labels.numel()
    if loss.reduction == 'sum':
        return 1
    counted = labels != head.ignore_index
    if weight is None:
        return (counted.sum() if loss.avg_non_ignore else labels.numel()) + EPS
    # mmseg weighs ignored pixels too, and fails at a label that has no weight.
    if 0 <= head.ignore_index < len(weight) and not loss.avg_non_ignore:
        return weight[labels].sum() + EPS
    return (weight[labels.where(counted, 0)] * counted).sum() + EPS
