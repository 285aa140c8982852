"""SegFormer's backbone without gradients: mmseg's weights in fewer passes.

mmseg materialises the attention matrices, and copies the tokens (N, h w, C) to maps
(N, C, h, w) and back around every convolution. Tokens already are such a map whose
channels lie next to one another, so that both layouts are views of one memory, and
torch's fused attention keeps the matrices in cache.
"""

from typing import Any

import torch
from mmseg.models.backbones import MixVisionTransformer
from mmseg.models.backbones.mit import EfficientMultiheadAttention, MixFFN
from torch import Tensor, nn
from torch.nn import functional as F

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


def run_backbone(backbone: MixVisionTransformer, image: Tensor) -> tuple[Tensor, ...]:
    """Compute the stages (N, C_i, H / s_i, W / s_i) of an image batch (N, 3, H, W).

    They are in torch's ``channels_last`` layout.
    """
    stages = []
    x = image.contiguous(memory_format=torch.channels_last)
    for index, (embed, blocks, norm) in enumerate(backbone.layers):
        x = embed.projection(x)
        size = x.shape[2:]
        tokens = _tokens(x)
        if embed.norm is not None:
            tokens = embed.norm(tokens)
        for block in blocks:
            tokens += _attend(block.attn, block.norm1(tokens), size)
            tokens += _feed_forward(block.ffn, block.norm2(tokens), size)
        x = _map(norm(tokens), size)
        if index in backbone.out_indices:
            stages.append(x)
    return tuple(stages)


def _tokens(x: Tensor) -> Tensor:
    """View a channels-last map (N, C, h, w) as tokens (N, h w, C)."""
    return x.flatten(2).transpose(1, 2)


def _map(tokens: Tensor, size: Size) -> Tensor:
    """View tokens (N, h w, C) as a channels-last map (N, C, h, w)."""
    return tokens.transpose(1, 2).unflatten(2, size)


def _linear(tokens: Tensor, weight: Tensor, bias: Tensor | None, size: Size) -> Tensor:
    """Apply a linear layer, or the weights of a 1x1 convolution, to (N, h w, C).

    As a convolution: oneDNN's is faster than the BLAS behind ``F.linear``, and cuDNN's
    may take TF32.
    """
    weight = weight.flatten(1)[..., None, None]
    return _tokens(F.conv2d(_map(tokens, size), weight, bias))


def _attend(layer: EfficientMultiheadAttention, x: Tensor, size: Size) -> Tensor:
    """Attend from all tokens (N, h w, C) to those of the reduced map."""
    attention = layer.attn
    channels, heads = x.shape[2], attention.num_heads
    reduced, reduced_size = x, size
    if layer.sr_ratio > 1:
        small = layer.sr(_map(x, size))
        reduced, reduced_size = layer.norm(_tokens(small)), small.shape[2:]
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    query_bias, other_bias = (
        (None, None) if bias is None else (bias[:channels], bias[channels:])
    )
    query = _linear(x, weight[:channels], query_bias, size)
    others = _linear(reduced, weight[channels:], other_bias, reduced_size)
    query, key, value = (
        t.unflatten(2, (heads, -1)).transpose(1, 2)
        for t in (query, *others.chunk(2, dim=2))
    )
    y = F.scaled_dot_product_attention(query, key, value)
    y = y.transpose(1, 2).flatten(2)
    return _linear(y, attention.out_proj.weight, attention.out_proj.bias, size)


def _feed_forward(layer: MixFFN, x: Tensor, size: Size) -> Tensor:
    """Two 1x1 convolutions around a depthwise 3x3 one, on tokens (N, h w, C)."""
    expand, depthwise, activate, _, reduce, _ = layer.layers
    hidden = _map(_linear(x, expand.weight, expand.bias, size), size)
    hidden = activate(_tokens(depthwise(hidden)))
    return _linear(hidden, reduce.weight, reduce.bias, size)
