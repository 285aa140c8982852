"""What lies between a SegFormer's matrix products, in half precision on a GPU.

Kernels that Triton compiles. Each reads and writes once what torch's autocast passes
through memory up to four times: a sum of two types, a norm in float32, and its cast; a
bias, and an activation. They compute in float32.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor, nn
from torch.nn import functional as F

TILE = 4096  # values of one program, about


def add_and_norm(
    stream: Tensor, branch: Tensor | None, norm: nn.LayerNorm, dtype: torch.dtype
) -> Tensor:
    """Add ``branch`` to ``stream`` in place, and return the sum's norm as ``dtype``.

    Args:
        stream: (N, L, C), contiguous, of any float type.
        branch: likewise, or None for nothing.
        norm: over C.
        dtype: of what is returned.
    """
    channels = stream.shape[-1]
    rows = stream.numel() // channels
    width = triton.next_power_of_2(channels)
    height = max(1, TILE // width)
    normed = torch.empty_like(stream, dtype=dtype)
    # Triton launches on the current device, which need not be the tensor's.
    with torch.cuda.device_of(stream):
        _add_and_norm[(triton.cdiv(rows, height),)](
            stream,
            stream if branch is None else branch.contiguous(),
            norm.weight,
            norm.bias,
            normed,
            rows,
            channels,
            norm.eps,
            adds=branch is not None,
            height=height,
            width=width,
        )
    return normed


def bias_and_gelu(x: Tensor, bias: Tensor) -> Tensor:
    """Overwrite ``x`` (N, L, C), contiguous, with the GELU of its sum with a bias."""
    with torch.cuda.device_of(x):
        grid = (triton.cdiv(x.numel(), TILE),)
        _bias_and_gelu[grid](x, bias, x.numel(), len(bias), tile=TILE)
    return x


def try_out(device: torch.device, dtype: torch.dtype) -> None:
    """Compute a little with each kernel, as the backbone does in ``dtype``.

    Raises:
        Exception: of any kind, where Triton does not work or not rightly.
    """
    with torch.autocast(device.type, enabled=False):
        norm = nn.LayerNorm(24).to(device)
        norm.weight.data += 0.5
        bias = torch.linspace(-1, 1, 24, device=device).to(dtype)
        # Not random numbers, which training draws from the same source.
        stream = torch.linspace(-2, 3, 360, device=device).sin_().view(3, 5, 24)
        branch = stream.flip(2).to(dtype)
        expected = norm(stream + branch).to(dtype), F.gelu(branch.float() + bias)
        found = (
            add_and_norm(stream.clone(), branch, norm, dtype),
            bias_and_gelu(branch.clone(), bias).float(),
        )
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=2e-2)


@triton.jit
def _add_and_norm(
    stream,
    branch,
    weight,
    bias,
    normed,
    rows,
    channels,
    eps,
    adds: tl.constexpr,
    height: tl.constexpr,
    width: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64) * height + tl.arange(0, height)
    channel = tl.arange(0, width)
    inside = (row < rows)[:, None] & (channel < channels)[None, :]
    place = row[:, None] * channels + channel[None, :]
    x = tl.load(stream + place, mask=inside, other=0.0).to(tl.float32)
    if adds:
        x += tl.load(branch + place, mask=inside, other=0.0).to(tl.float32)
        tl.store(stream + place, x.to(stream.dtype.element_ty), mask=inside)
    mean = tl.sum(x, axis=1) / channels
    x = tl.where(inside, x - mean[:, None], 0.0)
    variance = tl.sum(x * x, axis=1) / channels
    factor = tl.load(weight + channel, mask=channel < channels, other=0.0)
    offset = tl.load(bias + channel, mask=channel < channels, other=0.0)
    x = x * tl.rsqrt(variance + eps)[:, None]
    x = x * factor.to(tl.float32)[None, :] + offset.to(tl.float32)[None, :]
    tl.store(normed + place, x.to(normed.dtype.element_ty), mask=inside)


@triton.jit
def _bias_and_gelu(values, bias, count, channels, tile: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * tile + tl.arange(0, tile)
    inside = place < count
    x = tl.load(values + place, mask=inside, other=0.0).to(tl.float32)
    x += tl.load(bias + place % channels, mask=inside, other=0.0).to(tl.float32)
    x = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    tl.store(values + place, x.to(values.dtype.element_ty), mask=inside)
