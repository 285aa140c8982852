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

from dataclasses import dataclass
from typing import cast

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import SegformerHead
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from ..half_precision import full_precision
from ..teacher_features import EPS, Decoded, TeacherFeatures
from .interpolation import upsample, upsampled_covariance, upsampled_std_mean

LEAST_VARIANCE = 1e-30  # the gradient of a root ends there


@dataclass(frozen=True)
class PointwiseFeatures(TeacherFeatures):
    """Features of a teacher whose decoder is 1x1 convolutions, without a merged map.

    M is the number of merged channels (1024), and (H/4, W/4) the size.
    """

    decoder: 'FoldedDecoder'
    std: Tensor  # (M,), of the merged channels
    mean: Tensor  # (M,)

    def decode_aligned(self, x: Tensor, projection: nn.Conv2d) -> Decoded:
        """See :class:`TeacherFeatures`."""
        assert self.decoded is not None
        size = self.decoded.features.shape[2:]
        with torch.autocast(x.device.type, enabled=False):
            weight = projection.weight.flatten(1)
            centred, covariance = upsampled_covariance(full_precision(x), size)
            variance = ((weight @ covariance) * weight).sum(dim=1)
            factor = self.std / (variance.clamp_min(LEAST_VARIANCE).sqrt() + EPS)
            fusion, bias = self.decoder.fusion
            matrix = (fusion * factor) @ weight
            # Centring cancels the projection's bias, for which DDP wants a gradient.
            none = 0 * cast(Tensor, projection.bias).sum()
            constant = fusion @ self.mean + bias + none
            # The matrix exceeds half precision where features have next to no spread.
            decoded = F.conv2d(centred, matrix[..., None, None], constant)
        features = upsample(decoded, size).relu_()
        return Decoded(features, self.decoder.own_cls_seg(features))


def supports_decoder(head: nn.Module) -> bool:
    """Whether :func:`decode_stages` computes what a head, in eval mode, does."""
    return (
        isinstance(head, SegformerHead)
        and type(head).forward is SegformerHead.forward
        and head.interpolate_mode == 'bilinear'
        and not head.align_corners
        and all(map(_is_foldable, (*head.convs, head.fusion_conv)))
    )


class FoldedDecoder:
    """A SegFormer's decoder whose norms are folded into its convolutions.

    Its weights are frozen: it is made once, for all batches.

    Args:
        head: one that :func:`supports_decoder` says yes to.
        cast: the same head with its layers' weights as autocast would cast them.
    """

    def __init__(self, head: SegformerHead, cast: SegformerHead) -> None:
        dtype = cast.conv_seg.weight.dtype
        self.inputs_of, self.cls_seg = head._transform_inputs, cast.cls_seg
        # For a student, whose precision may be another.
        self.own_cls_seg = head.cls_seg
        self.convs = [_fold(conv, dtype) for conv in head.convs]
        self.fusion_conv = head.fusion_conv
        weight, bias = self._fusion = _fold(head.fusion_conv)
        self.slices = weight.to(dtype).chunk(len(self.convs), dim=1)
        self.bias = bias.view(1, -1, 1, 1)

    @property
    def fusion(self) -> tuple[Tensor, Tensor]:
        """Weight (out, in) and bias (out,) of the fusion; its own, were it to learn."""
        learns = self.fusion_conv.conv.weight.requires_grad
        weight, bias = _fold(self.fusion_conv) if learns else self._fusion
        return weight.flatten(1), bias


def decode_stages(
    decoder: FoldedDecoder, maps: tuple[Tensor, ...], stages: tuple[Tensor, ...]
) -> PointwiseFeatures:
    """Decode what a teacher's head is given.

    Args:
        decoder: the teacher's.
        maps: (N, C_i, h_i, w_i), what its backbone or neck returned.
        stages: what its backbone returned.
    """
    inputs = decoder.inputs_of(maps)
    size = inputs[0].shape[2:]
    statistics = []
    total: Tensor | None = None
    for conv, x, part in zip(decoder.convs, inputs, decoder.slices, strict=True):
        projected = F.conv2d(x, *conv).relu_()
        with torch.autocast(x.device.type, enabled=False):
            statistics.append(upsampled_std_mean(full_precision(projected), size))
        term = F.conv2d(projected, part)
        with torch.autocast(x.device.type, enabled=False):  # as it is, not in float32
            term = upsample(term, size)
        total = term if total is None else total.add_(term)
    assert total is not None
    features = total.add_(decoder.bias).relu_()
    logits = decoder.cls_seg(features)
    # Losses look at each channel's own map.
    decoded = Decoded(features.contiguous(), logits.contiguous())
    std, mean = (torch.cat(parts) for parts in zip(*statistics, strict=True))
    return PointwiseFeatures(stages, decoded, decoder, std, mean)


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


def _fold(
    module: ConvModule, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """Return weight (out, in, 1, 1) and bias (out,) of a convolution and its norm."""
    conv, norm = module.conv, module.norm
    factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
    offset = -norm.running_mean if conv.bias is None else conv.bias - norm.running_mean
    weight = conv.weight * factor.view(-1, 1, 1, 1)
    return weight.to(dtype), (norm.bias + offset * factor).to(dtype)
