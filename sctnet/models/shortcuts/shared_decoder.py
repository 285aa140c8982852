"""SDHA through a SegFormer's decoder, without the 1024 channels in between.

The student's way is linear up to the decoder's ReLU: a projection P, upsampling, scale
alignment (a factor and an offset a channel), the fusion convolution F with its norm.
Upsampling commutes with the others, so with f the student's centred features and D the
alignment's factors it is ``up((F D P) f)`` plus a constant, one small matrix at the
student's resolution. D needs the deviations of the 1024 upsampled channels: those of
P f are ``diag(P S P')``, with S the covariance of the few upsampled channels of f.

The teacher's way to its own statistics and decoded features is cut likewise: each stage
goes through its slice of F at its own size, and is then upsampled and added.
"""

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import SegformerHead
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from ..half_precision import full_precision
from .interpolation import Size, upsample, upsampled_covariance, upsampled_std_mean

COPIED = 1 << 16  # values at a time, which fit in cache
LEAST_VARIANCE = 1e-30  # the gradient of a root ends there


class PointwiseDecoder(NamedTuple):
    """A decoder of 1x1 convolutions, and statistics of the merged map it was given.

    M is the number of merged channels (1024), C that of decoded ones (256).
    """

    std: Tensor  # (M,), of the teacher's merged features at ``size``
    mean: Tensor  # (M,)
    size: Size  # (H/4, W/4)
    fusion: ConvModule  # M to C channels
    classify: Callable[[Tensor], Tensor]  # decoded features to logits


def can_fuse_decoder(head: nn.Module) -> bool:
    """Whether a head's decoder can be cut as this module does."""
    return (
        isinstance(head, SegformerHead)
        and type(head).forward is SegformerHead.forward
        and head.interpolate_mode == 'bilinear'
        and not head.align_corners
        and all(map(_is_foldable, (*head.convs, head.fusion_conv)))
    )


def _is_foldable(module: ConvModule) -> bool:
    norm = module.norm if module.with_norm else None
    return (
        isinstance(norm, _BatchNorm)
        and norm.track_running_stats
        and norm.affine
        and module.with_activation
        and isinstance(module.activate, nn.ReLU)
        and module.order == ('conv', 'norm', 'act')
    )


def _fold(module: ConvModule) -> tuple[Tensor, Tensor]:
    """Return weight (out, in, 1, 1) and bias (out,) of a convolution and its norm."""
    conv, norm = module.conv, module.norm
    factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
    offset = -norm.running_mean if conv.bias is None else conv.bias - norm.running_mean
    return conv.weight * factor.view(-1, 1, 1, 1), norm.bias + offset * factor


def decode_teacher(
    head: SegformerHead, stages: tuple[Tensor, ...]
) -> tuple[PointwiseDecoder, Tensor, Tensor]:
    """Return the decoder, decoded features (N, C, H/4, W/4) and logits of a teacher.

    Args:
        head: the teacher's, in eval mode.
        stages: what its backbone returned.
    """
    inputs = head._transform_inputs(stages)
    size = inputs[0].shape[2:]
    weight, bias = _fold(head.fusion_conv)
    slices = weight.chunk(len(inputs), dim=1)
    statistics = []
    total: Tensor | None = None
    for conv, stage, part in zip(head.convs, inputs, slices, strict=True):
        projected = F.conv2d(stage, *_fold(conv)).relu_()
        statistics.append(_std_mean(projected, size))
        term = upsample(F.conv2d(projected, part), size)
        total = term if total is None else total.add_(term)
    assert total is not None
    features = total.add_(bias.to(total).view(1, -1, 1, 1)).relu_()
    logits = head.cls_seg(features)
    std, mean = (torch.cat(parts) for parts in zip(*statistics, strict=True))
    decoder = PointwiseDecoder(std, mean, size, head.fusion_conv, head.cls_seg)
    return decoder, _channels_first(features), _channels_first(logits)


def _channels_first(x: Tensor) -> Tensor:
    """Copy a map to the layout in which losses look at it, channel by channel.

    In blocks of positions that fit in cache: four times as fast as ``contiguous()``.
    """
    if x.device.type != 'cpu':
        return x.contiguous()
    rows = max(1, COPIED // (x.shape[1] * x.shape[3]))
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    for top in range(0, x.shape[2], rows):
        for copy, image in zip(out, x, strict=True):
            copy[:, top : top + rows] = image[:, top : top + rows]
    return out


def _std_mean(x: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    with torch.autocast(x.device.type, enabled=False):
        return upsampled_std_mean(full_precision(x), size)


def decode_student(
    x: Tensor, projection: nn.Conv2d, decoder: PointwiseDecoder, eps: float
) -> tuple[Tensor, Tensor]:
    """Return decoded features (N, C, H, W) and logits (N, K, H, W) of the student.

    Args:
        x: its features (N, 4c, h, w).
        projection: the 1x1 convolution to the M merged channels.
        decoder: the teacher's.
        eps: added to the deviations of the projected features.
    """
    with torch.autocast(x.device.type, enabled=False):
        weight = projection.weight.flatten(1)
        centred, covariance = upsampled_covariance(full_precision(x), decoder.size)
        variance = ((weight @ covariance) * weight).sum(dim=1)
        factor = decoder.std / (variance.clamp_min(LEAST_VARIANCE).sqrt() + eps)
        fusion, bias = _fold(decoder.fusion)
        bias_of_projection = cast(Tensor, projection.bias)
        fusion = fusion.flatten(1)
        matrix = (fusion * factor) @ weight
        # Centring cancels the projection's bias, for which DDP wants a gradient.
        constant = fusion @ decoder.mean + bias + 0 * bias_of_projection.sum()
        # The matrix exceeds half precision where features have next to no spread.
        decoded = F.conv2d(centred, matrix[..., None, None], constant)
    features = upsample(decoded, decoder.size).relu_()
    return features, decoder.classify(features)
