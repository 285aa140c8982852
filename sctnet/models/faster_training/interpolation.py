"""Bilinear upsampling as two small matrices, and moments of maps that were upsampled.

``up(f) = Y f X'`` with a few weights in each row of Y and X, which sum to 1. Therefore

- a 1x1 convolution and a per-channel affine map commute with it, and
- sums over the outputs are sums over the inputs: of up(f) with the column sums of Y and
  X as weights, and of up(f) up(g) the form ``<f, Y'Y g X'X>``.

So means and covariances of an upsampled map need no upsampled map. The map is centred
first, or float32 would lose the difference of two large numbers.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ...prediction.resampling import bilinear

Size = torch.Size | tuple[int, int]


def interpolation_matrix(source: int, target: int, like: Tensor) -> Tensor:
    """Return the (target, source) matrix of one axis, of ``like``'s type and device.

    It is what ``F.interpolate`` does with ``align_corners=False``.
    """
    return _matrix(source, target, like.dtype, like.device)


@lru_cache(maxsize=32)  # building and copying it would make a GPU wait
def _matrix(
    source: int, target: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    kind = str(dtype).removeprefix('torch.')
    lower, share = (torch.from_numpy(part) for part in bilinear(source, target, kind))
    outputs = torch.arange(target)
    with torch.inference_mode(False):  # what is kept serves training too
        matrix = torch.zeros(target, source, dtype=dtype)
        matrix[outputs, lower] = 1 - share
        upper = (lower + 1).clamp_(max=source - 1)
        matrix.index_put_((outputs, upper), share, accumulate=True)
        return matrix.to(device)


@lru_cache(maxsize=32)
def _moments(
    source: Size, target: Size, images: int, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what moments of ``images`` upsampled maps need, sums divided by counts.

    Of a mean the weight of each value (h w, 1), of covariances Y'Y and X'X.
    """
    rows, columns = (
        _matrix(*axis, dtype, device) for axis in zip(source, target, strict=True)
    )
    pixels = images * len(rows) * len(columns)
    with torch.inference_mode(False):
        means = torch.outer(rows.sum(0), columns.sum(0)).view(-1, 1) / pixels
        return means, rows.t() @ rows, columns.t() @ columns / (pixels - 1)


def upsample(x: Tensor, size: Sequence[int]) -> Tensor:
    """Upsample a map (N, C, h, w) bilinearly to ``size``, where it has another."""
    if list(x.shape[2:]) == list(size):
        return x
    return F.interpolate(x, tuple(size), mode='bilinear', align_corners=False)


def _centre_upsampled(x: Tensor, size: Size) -> tuple[Tensor, Tensor, Tensor]:
    """Subtract from each channel the mean that it has when upsampled.

    Returns:
        The centred map f (N, C, h, w), ``Y'Y f X'X / (N H W - 1)`` of the same shape,
        whose products with f sum to covariances, and the means (1, C, 1, 1).
    """
    if x.shape[2:] == size:
        centred = x - (mean := x.mean(dim=(0, 2, 3), keepdim=True))
        return centred, centred / (x.numel() / x.shape[1] - 1), mean
    shape = tuple(x.shape[2:])
    means, rows, columns = _moments(shape, tuple(size), len(x), x.dtype, x.device)
    mean = (x.flatten(2) @ means).sum(0).view(1, -1, 1, 1)
    centred = x - mean
    return centred, rows @ centred @ columns, mean


def upsampled_covariance(x: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Centre a map and return it with the covariance of its upsampled channels.

    Args:
        x: (N, C, h, w), float32 or float64.
        size: (H, W) that it would be upsampled to.

    Returns:
        The map less its upsampled mean, and the unbiased covariance (C, C), over batch
        and space.
    """
    centred, smoothed, _ = _centre_upsampled(x, size)
    return centred, torch.einsum('nchw,ndhw->cd', centred, smoothed)


def upsampled_std_mean(x: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Return unbiased deviation and mean (C,) of each channel of an upsampled map.

    Args:
        x: (N, C, h, w), float32 or float64.
        size: (H, W) that it would be upsampled to.
    """
    centred, smoothed, mean = _centre_upsampled(x, size)
    variance = smoothed.mul_(centred).sum(dim=(0, 2, 3))
    return variance.sqrt(), mean.flatten()
