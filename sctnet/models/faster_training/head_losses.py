"""A decode head's losses and accuracy straight from its small logits."""

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.utils import SampleList
from torch import Tensor, nn

from ..pixel_cross_entropy import PixelCrossEntropyLoss
from .cross_entropy import upsampled_cross_entropy

EPS = torch.finfo(torch.float32).eps  # mmseg's, in averages and accuracies


def supports_losses(head: BaseDecodeHead) -> bool:
    """Whether :func:`head_losses` computes what the head's own ``loss`` does.

    Not where it has a ``loss`` of its own, samples pixels (OHEM), upsamples with
    ``align_corners``, has several losses, or another than averaged cross entropy.
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
        and _is_averaged_cross_entropy(head.loss_decode)
    )


def _is_averaged_cross_entropy(loss: nn.Module) -> bool:
    if type(loss) is CrossEntropyLoss:
        # mmseg's averages over class weights have rules of their own.
        averaged = loss.reduction == 'mean' and loss.class_weight is None
    else:
        averaged = type(loss) is PixelCrossEntropyLoss
    return averaged and not loss.use_sigmoid and not loss.use_mask


def head_losses(
    head: BaseDecodeHead, features: tuple[Tensor, ...], samples: SampleList
) -> dict[str, Tensor]:
    """Return what ``head.loss`` does: the weighted loss, and ``acc_seg`` in percent.

    Args:
        head: one that :func:`supports_losses` says yes to.
        features: of the backbone, maps (N, C_i, h_i, w_i).
        samples: N of them, with label maps (1, H, W).
    """
    logits = head(features)
    labels = head._stack_batch_gt(samples).squeeze(1)
    loss = head.loss_decode
    weight = loss.class_weight
    if weight is not None:
        kind = torch.promote_types(logits.dtype, torch.float32)
        weight = torch.as_tensor(weight, dtype=kind, device=logits.device)
    total, correct = upsampled_cross_entropy(logits, labels, weight, head.ignore_index)
    counted = (labels != head.ignore_index).sum()
    if type(loss) is PixelCrossEntropyLoss:
        pixels = labels.numel()
    else:
        pixels = (counted if loss.avg_non_ignore else labels.numel()) + EPS
    return {
        loss.loss_name: loss.loss_weight * total / pixels,
        'acc_seg': (correct + EPS).reshape(1) * 100 / (counted + EPS),
    }
