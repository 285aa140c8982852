"""Cross entropy of logits that are upsampled to the labels' size, in blocks of rows.

Upsampling is linear, v = U x with a few weights a row and a column, so the gradient at
low resolution is U' (softmax(v) - onehot): a sum over pixels, to which each block of
output rows adds its own share as soon as it is computed. Loss, gradient and the number
of correct pixels come from one pass, in which a block of v exists at a time, and
backward only multiplies.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..half_precision import full_precision
from .interpolation import interpolation_matrix

LOG2_E = math.log2(math.e)
# Upsampled values that exist at a time: in a CPU's cache; on a GPU, which starts each
# operation anew for each block, at least so many, and at most so many blocks.
ON_CPU, ON_GPU, MOST_BLOCKS = 1 << 21, 1 << 25, 8


def upsampled_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    class_weight: Tensor | None = None,
    ignore_index: int = 255,
) -> tuple[Tensor, Tensor]:
    """Sum the cross entropy of ``labels`` and bilinearly upsampled ``logits``.

    Args:
        logits: (N, K, h, w); half precision is computed in float32.
        labels: (N, H, W) integers below K, or ``ignore_index``.
        class_weight: (K,), what a pixel of each class counts.
        ignore_index: label of pixels that count 0.

    Returns:
        The sum over pixels (differentiable once, in ``logits``), and at how many pixels
        the label's logit is larger than all others; both scalars.
    """
    logits, labels = full_precision(logits), labels.long()
    if class_weight is None:
        class_weight = logits.new_ones(logits.shape[1])
    with torch.autocast(logits.device.type, enabled=False):
        return _UpsampledCrossEntropy.apply(
            logits, labels, class_weight.to(logits), ignore_index
        )


class _UpsampledCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, labels: Tensor, weight: Tensor, ignore_index: int
    ) -> tuple[Tensor, Tensor]:
        total, correct, gradient = _compute_in_blocks(
            logits.detach(), labels, weight, ignore_index
        )
        ctx.mark_non_differentiable(correct)
        ctx.save_for_backward(gradient)
        return total, correct

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, total: Tensor, correct: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * total, None, None, None


def _compute_in_blocks(
    logits: Tensor, labels: Tensor, weight: Tensor, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return summed loss, number of correct pixels and gradient (N, K, h, w).

    Rows and columns are upsampled by products with their small matrices, so that the
    gradient's sums have one order: torch's own upsampling adds atomically on a GPU.
    (These products follow torch's setting of TF32, which is off by default.) Powers of
    two take a third of the time of exponentials on a CPU. What has one value a pixel is
    kept of all blocks: a GPU starts few kernels for all pixels.
    """
    images, classes, height, width = *logits.shape[:2], *labels.shape[1:]
    rows = interpolation_matrix(logits.shape[2], height, logits)
    columns = interpolation_matrix(logits.shape[3], width, logits)
    columns_of_exponents = columns.t() * LOG2_E
    counted = (labels != ignore_index).unsqueeze(1)
    targets = labels.unsqueeze(1) * counted  # (N, 1, H, W)
    weights = weight[targets] * counted
    minus = -weights
    losses, hits = torch.empty_like(weights), torch.empty_like(counted)
    gradient = torch.zeros_like(logits)
    on_cpu = logits.device.type == 'cpu'
    for some, lines in _blocks(on_cpu, images, height, classes * width):
        pixels = (some, slice(None), lines)
        target, block = targets[pixels], rows[lines]
        values = block @ logits[some] @ columns_of_exponents
        of_target = values.gather(1, target)
        others = values.scatter_(1, target, -math.inf).amax(dim=1, keepdim=True)
        torch.gt(of_target, others, out=hits[pixels])
        largest = torch.maximum(of_target, others)
        of_target -= largest
        power = of_target.exp2()
        powers = values.sub_(largest).exp2_()  # the target's is 0
        total = powers.sum(dim=1, keepdim=True).add_(power)
        torch.sub(total.log2(), of_target, out=losses[pixels])
        share = weights[pixels] / total
        slope = powers.mul_(share)
        slope.scatter_(1, target, torch.addcmul(minus[pixels], power, share))
        gradient[some] += block.t() @ (slope @ columns)
    loss = losses.mul_(weights).sum() / LOG2_E
    return loss, hits.logical_and_(counted).sum(), gradient


def _blocks(
    on_cpu: bool, images: int, height: int, row: int
) -> Iterator[tuple[slice, slice]]:
    """Yield slices of images and of rows, of ``row`` values each, that make a block."""
    values = images * height * row
    most = ON_CPU if on_cpu else max(ON_GPU, -(-values // MOST_BLOCKS))
    rows = max(1, most // row)
    some, lines = max(1, rows // height), min(rows, height)
    for first, top in itertools.product(
        range(0, images, some), range(0, height, lines)
    ):
        yield slice(first, first + some), slice(top, top + lines)
