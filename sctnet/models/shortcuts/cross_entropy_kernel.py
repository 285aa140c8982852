"""Cross entropy of upsampled logits on a CPU, by a kernel that Numba compiles.

For one pixel at a time all classes are interpolated, their maximum, the sum of their
exponentials and the loss are taken, and the gradient is added to the four neighbours,
while everything is in the processor's nearest cache. The upsampled logits, hundreds of
megabytes for many classes, never exist.
"""

import itertools
import math

import numba
import numpy as np
import torch
from torch import Tensor

from ...prediction.resampling import bilinear
from ...prediction.threads import map_parts
from .vector_exp import LANES, exp

ROWS = 32  # output rows of a part; not of the number of threads, so that sums agree
NEVER = -1e30  # a logit whose exponential is 0, also beside others of its kind


def cpu_cross_entropy(
    logits: Tensor, labels: Tensor, weight: Tensor, ignore_index: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return summed loss, number of correct pixels and the loss's gradient.

    Args:
        logits: (N, K, h, w), finite, float32 or float64.
        labels: (N, H, W) int64, below K or ``ignore_index``.
        weight: (K,), of the logits' type.
        ignore_index: label of pixels that count 0.

    Returns:
        The gradient is (N, K, h, w).
    """
    by_class = _classes_last(logits.numpy())
    gradient = np.zeros_like(by_class)
    height, kind = logits.shape[2], by_class.dtype.name
    lower, share = bilinear(height, labels.shape[1], kind)
    columns = bilinear(logits.shape[3], labels.shape[2], kind)
    label_maps, class_weight = labels.contiguous().numpy(), weight.numpy()

    def work(part: tuple[int, int]) -> tuple[int, np.ndarray, float, int]:
        image, top = part
        rows = slice(top, top + ROWS)
        first, last = lower[rows][0], min(lower[rows][-1] + 2, height)
        own = np.zeros_like(by_class[image, first:last])  # neighbours overlap
        loss, correct = _rows(
            by_class[image, first:last],
            *(label_maps[image, rows], lower[rows] - first, share[rows]),
            *(*columns, class_weight, ignore_index, own),
        )
        return first, own, loss, correct

    parts = list(itertools.product(range(len(by_class)), range(0, len(lower), ROWS)))
    results = map_parts(work, parts)
    for (image, _), (first, own, _, _) in zip(parts, results, strict=True):
        gradient[image, first : first + len(own)] += own
    by_map = gradient[..., : logits.shape[1]].transpose(0, 3, 1, 2)
    return (
        logits.new_tensor(sum(loss for *_, loss, _ in results)),
        labels.new_tensor(sum(correct for *_, correct in results)),
        torch.from_numpy(by_map),
    )


def _classes_last(logits: np.ndarray) -> np.ndarray:
    """Bring (N, K, h, w) to (N, h, w, K'), K' whole vectors, the rest no class."""
    images, classes, height, width = logits.shape
    padded = -(-classes // LANES) * LANES
    out = np.full((images, height, width, padded), NEVER, logits.dtype)
    out[..., :classes] = logits.transpose(0, 2, 3, 1)
    return out


@numba.njit(nogil=True, cache=True, fastmath=True, error_model='numpy')
def _rows(
    logits, labels, lower, row_share, left, share, class_weight, ignore_index, gradient
):
    """Add up some rows of one image, (rows, w, K') logits, and their gradient."""
    height, width, padded = logits.shape
    one = class_weight.dtype.type(1)
    row = np.empty((width, padded), logits.dtype)
    row_gradient = np.empty((width, padded), logits.dtype)
    values = np.empty(padded, logits.dtype)
    total, right = 0.0, 0
    for y in range(len(labels)):
        top, down = lower[y], row_share[y]
        bottom = min(top + 1, height - 1)
        for x in range(width):
            for k in range(padded):
                above = logits[top, x, k]
                row[x, k] = above + down * (logits[bottom, x, k] - above)
                row_gradient[x, k] = 0
        for column in range(labels.shape[1]):
            label = labels[y, column]
            if label == ignore_index:
                continue
            a, across = left[column], share[column]
            b = min(a + 1, width - 1)
            largest = _interpolate(row[a], row[b], across, values)
            of_label = values[label]
            right += _is_alone(values, label, largest)
            weight = class_weight[label]
            exponentials = _exponentials(values, largest)
            total += weight * (math.log(exponentials) + largest - of_label)
            # The gradient is weight * (softmax - 1 at the label), shared by a and b.
            of_b = weight * across
            of_a = weight - of_b
            _add(row_gradient[a], of_a / exponentials, values)
            _add(row_gradient[b], of_b / exponentials, values)
            row_gradient[a, label] -= of_a
            row_gradient[b, label] -= of_b
        for x in range(width):
            _add(gradient[top, x], one - down, row_gradient[x])
            _add(gradient[bottom, x], down, row_gradient[x])
    return total, right


@numba.njit(nogil=True, cache=True, fastmath=True, inline='always')
def _interpolate(a, b, share, out):
    """Write the values between ``a`` and ``b``; return their maximum."""
    largest = a[0] + share * (b[0] - a[0])
    for k in range(len(out)):
        out[k] = a[k] + share * (b[k] - a[k])
        largest = max(largest, out[k])
    return largest


@numba.njit(nogil=True, cache=True, fastmath=True, inline='always')
def _is_alone(values, label, largest):
    """Whether the value at ``label`` is larger than all others."""
    if values[label] < largest:
        return 0
    equal = 0
    for k in range(len(values)):
        equal += values[k] >= largest
    return 1 if equal == 1 else 0


@numba.njit(nogil=True, cache=True, fastmath=True, inline='always')
def _exponentials(values, largest):
    """Replace ``values`` by their exponentials; return the sum."""
    total = values.dtype.type(0)
    for k in range(len(values)):
        values[k] = exp(values[k] - largest)
        total += values[k]
    return total


@numba.njit(nogil=True, cache=True, fastmath=True, inline='always')
def _add(total, factor, values):
    """Add ``factor * values`` to ``total``."""
    for k in range(len(values)):
        total[k] += factor * values[k]
