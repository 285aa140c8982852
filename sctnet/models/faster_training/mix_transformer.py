"""SegFormer's backbone without gradients: mmseg's weights in fewer passes.

mmseg materialises the attention matrices, and copies the tokens (N, h w, C) to maps
(N, C, h, w) and back around every convolution. Tokens already are such a map whose
channels lie next to one another, so that both layouts are views of one memory, and
torch's fused attention keeps the matrices in cache. In half precision on a GPU, what
lies between the matrix products is :mod:`.mix_transformer_gpu`'s.
"""

import logging
from functools import cache
from typing import Any, cast

import torch
from mmengine.logging import print_log
from mmseg.models.backbones import MixVisionTransformer
from mmseg.models.backbones.mit import EfficientMultiheadAttention, MixFFN
from torch import Tensor, nn
from torch.nn import functional as F

from .cast_weights import autocast_dtype

Size = torch.Size | tuple[int, int]


def supports_backbone(backbone: nn.Module) -> bool:
    """Whether :func:`run_backbone` computes what ``backbone``, in eval mode, does."""
    if type(backbone) is not MixVisionTransformer:
        return False
    layers: Any = backbone.layers
    return all(
        embed.adap_padding is None
        and all(block.attn.attn.in_proj_weight is not None for block in blocks)
        for embed, blocks, _ in layers
    )


def run_any_backbone(
    backbone: nn.Module, image: Tensor, shortcuts: bool
) -> tuple[Tensor, ...]:
    """Compute a backbone's stages: with ``shortcuts``, a SegFormer's by them."""
    if shortcuts and supports_backbone(backbone):
        return run_backbone(cast(MixVisionTransformer, backbone), image)
    return tuple(backbone(image))


def run_backbone(backbone: MixVisionTransformer, image: Tensor) -> tuple[Tensor, ...]:
    """Compute the stages (N, C_i, H / s_i, W / s_i) of an image batch (N, 3, H, W).

    They are in torch's ``channels_last`` layout.
    """
    stages = []
    ops = _choose_ops(image)
    x = image.contiguous(memory_format=torch.channels_last)
    for index, (embed, blocks, norm) in enumerate(backbone.layers):
        x = embed.projection(x)
        size = x.shape[2:]
        tokens, branch = _tokens(x), None  # what is to be added to them
        if embed.norm is not None:
            tokens = ops.add_and_norm(tokens, None, embed.norm, torch.float32)
        for block in blocks:
            normed = ops.add_and_norm(tokens, branch, block.norm1)
            branch = _attend(ops, block.attn, normed, size)
            normed = ops.add_and_norm(tokens, branch, block.norm2)
            branch = _feed_forward(ops, block.ffn, normed, size)
        x = _map(ops.add_and_norm(tokens, branch, norm, torch.float32), size)
        if index in backbone.out_indices:
            stages.append(x)
    return tuple(stages)


def _tokens(x: Tensor) -> Tensor:
    """View a channels-last map (N, C, h, w) as tokens (N, h w, C)."""
    return x.flatten(2).transpose(1, 2)


def _map(tokens: Tensor, size: Size) -> Tensor:
    """View tokens (N, h w, C) as a channels-last map (N, C, h, w)."""
    return tokens.transpose(1, 2).unflatten(2, size)


class _TorchOps:
    """How torch computes the parts, in any precision on any device."""

    def linear(
        self, tokens: Tensor, weight: Tensor, bias: Tensor | None, size: Size
    ) -> Tensor:
        """Apply a linear layer, or the weights of a 1x1 convolution, to (N, h w, C).

        As a convolution: oneDNN's is faster than the BLAS behind ``F.linear``, and
        cuDNN's may take TF32.
        """
        weight = weight.flatten(1)[..., None, None]
        return _tokens(F.conv2d(_map(tokens, size), weight, bias))

    def add_and_norm(
        self,
        tokens: Tensor,
        branch: Tensor | None,
        norm: nn.Module,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Add ``branch`` to ``tokens`` in place, and return the norm of the sum.

        As ``dtype`` where autocast would cast it anyway: by default to its own.
        """
        if branch is not None:
            tokens += branch
        return norm(tokens)

    def filter_and_activate(
        self, hidden: Tensor, depthwise: nn.Conv2d, activate: nn.Module, size: Size
    ) -> Tensor:
        """Go through a depthwise convolution and an activation."""
        return activate(_tokens(depthwise(_map(hidden, size))))


class _TritonOps(_TorchOps):
    """How a GPU computes them under autocast to half precision."""

    def __init__(self, dtype: torch.dtype) -> None:
        from . import mix_transformer_gpu

        self.kernels, self.dtype = mix_transformer_gpu, dtype

    def linear(
        self, tokens: Tensor, weight: Tensor, bias: Tensor | None, size: Size
    ) -> Tensor:
        """Let the product add its bias, which a convolution does on its own."""
        return F.linear(tokens, weight.flatten(1), bias)

    def add_and_norm(
        self,
        tokens: Tensor,
        branch: Tensor | None,
        norm: nn.Module,
        dtype: torch.dtype | None = None,
    ) -> Tensor:
        """Do it in one kernel."""
        plain = type(norm) is nn.LayerNorm and norm.bias is not None
        if not plain or not tokens.is_contiguous():
            return super().add_and_norm(tokens, branch, norm, dtype)
        kernel = self.kernels.add_and_norm
        return kernel(tokens, branch, cast(nn.LayerNorm, norm), dtype or self.dtype)

    def filter_and_activate(
        self, hidden: Tensor, depthwise: nn.Conv2d, activate: nn.Module, size: Size
    ) -> Tensor:
        """Let one kernel add the bias and activate."""
        exact = type(activate) is nn.GELU and activate.approximate == 'none'
        if not exact or depthwise.bias is None:
            return super().filter_and_activate(hidden, depthwise, activate, size)
        x = depthwise._conv_forward(_map(hidden, size), depthwise.weight, None)
        return self.kernels.bias_and_gelu(_tokens(x).contiguous(), depthwise.bias)


def _choose_ops(image: Tensor) -> _TorchOps:
    dtype = autocast_dtype(image.device.type) if image.is_cuda else None
    # torch.compile makes kernels of its own.
    if (
        dtype is None
        or torch.compiler.is_compiling()
        or not _triton_works(image.device, dtype)
    ):
        return _TorchOps()
    return _TritonOps(dtype)


@cache
def _triton_works(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether Triton's kernels work on ``device`` in ``dtype``: tried once."""
    try:
        from . import mix_transformer_gpu

        mix_transformer_gpu.try_out(device, dtype)
    except Exception as error:
        reason = ' '.join(str(error).split())[:200]
        print_log(
            f'Triton cannot help the teacher here ({reason}): torch alone is slower',
            logger='current',
            level=logging.WARNING,
        )
        return False
    return True


def _attend(
    ops: _TorchOps, layer: EfficientMultiheadAttention, x: Tensor, size: Size
) -> Tensor:
    """Attend from all tokens (N, h w, C) to those of the reduced map."""
    attention = layer.attn
    channels, heads = x.shape[2], attention.num_heads
    reduced, reduced_size = x, size
    if layer.sr_ratio > 1:
        small = layer.sr(_map(x, size))
        reduced_size = small.shape[2:]
        reduced = ops.add_and_norm(_tokens(small), None, layer.norm)
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    query_bias, other_bias = (
        (None, None) if bias is None else (bias[:channels], bias[channels:])
    )
    query = ops.linear(x, weight[:channels], query_bias, size)
    others = ops.linear(reduced, weight[channels:], other_bias, reduced_size)
    query, key, value = (
        t.unflatten(2, (heads, -1)).transpose(1, 2)
        for t in (query, *others.chunk(2, dim=2))
    )
    y = F.scaled_dot_product_attention(query, key, value)
    y = y.transpose(1, 2).flatten(2)
    return ops.linear(y, attention.out_proj.weight, attention.out_proj.bias, size)


def _feed_forward(ops: _TorchOps, layer: MixFFN, x: Tensor, size: Size) -> Tensor:
    """Two 1x1 convolutions around a depthwise 3x3 one, on tokens (N, h w, C)."""
    expand, depthwise, activate, _, reduce, _ = layer.layers
    hidden = ops.linear(x, expand.weight, expand.bias, size)
    hidden = ops.filter_and_activate(hidden, depthwise, activate, size)
    return ops.linear(hidden, reduce.weight, reduce.bias, size)
