"""The labels of upsampled logits on a CPU, by a kernel that Numba compiles.

Every upsampled value is a convex combination of a few neighbouring low-resolution
values, the same neighbours for all the pixels of a cell. So a class can win somewhere
in a cell only if the largest of its neighbours reaches the largest of all classes'
smallest neighbours. On the smooth logits of a trained network that leaves one class in
most cells, which is then the label of every pixel there; only the rest is interpolated,
and only for the classes that are left.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
import numpy as np
import torch

from .resampling import Resampling

LANES = 8  # classes and pixels are padded to whole vectors of float32


def cpu_labels(
    logits: np.ndarray, rows: Resampling, columns: Resampling, labels: np.ndarray
) -> None:
    """Write the winning class of every pixel into ``labels``; the first where equal.

    Args:
        logits: (K, h, w), float32 or float64, any strides.
        rows: from h to H.
        columns: from w to W.
        labels: (H, W), an integer type that holds K - 1.
    """
    by_class = _classes_last(logits)
    packed = _pack(columns)
    threads = max(1, min(torch.get_num_threads(), len(rows.groups) - 1))
    parts = np.linspace(0, len(rows.groups) - 1, 4 * threads + 1).astype(np.int64)

    def work(part: int) -> None:
        span = (parts[part], parts[part + 1])
        _label_cells(by_class, len(logits), *rows, *columns, packed, *span, labels)

    if threads == 1:
        for part in range(4):
            work(part)
    else:
        # Own threads: Numba's fork-join layers may not be entered by two at once.
        list(_pool(threads, os.getpid()).map(work, range(4 * threads)))


@cache
def _pool(threads: int, pid: int) -> ThreadPoolExecutor:
    """Return the threads of this process; those of a forked parent do not run here."""
    return ThreadPoolExecutor(threads, 'sctnet-labels')


def _classes_last(logits: np.ndarray) -> np.ndarray:
    """Bring (K, h, w) to (h, w, K'), K' whole vectors, the rest never winning."""
    classes, height, width = logits.shape
    padded = -(-classes // LANES) * LANES
    out = np.empty((height, width, padded), logits.dtype)
    out[..., :classes] = logits.transpose(1, 2, 0)
    out[..., classes:] = -np.inf
    return out


def _pack(columns: Resampling) -> np.ndarray:
    """Weights of each group of columns, (groups, taps, P), P whole vectors."""
    sizes = np.diff(columns.groups)
    width = -(-int(sizes.max()) // LANES) * LANES
    packed = np.zeros((len(sizes), columns.weights.shape[1], width), np.float32)
    packed = packed.astype(columns.weights.dtype)
    for group, (first, size) in enumerate(zip(columns.groups, sizes, strict=False)):
        packed[group, :, :size] = columns.weights[first : first + size].T
    return packed


@numba.njit(nogil=True, cache=True, boundscheck=False, error_model='numpy')
def _label_cells(  # pragma: no cover  (compiled)
    logits,
    classes,
    row_start,
    row_width,
    row_weights,
    row_groups,
    col_start,
    col_width,
    col_weights,
    col_groups,
    packed,
    first_group,
    last_group,
    labels,
):
    padded = logits.shape[2]
    smallest = np.empty(padded, logits.dtype)
    largest = np.empty(padded, logits.dtype)
    best = np.empty(packed.shape[2], logits.dtype)
    value = np.empty(packed.shape[2], logits.dtype)
    winner = np.empty(packed.shape[2], np.int32)
    mixed = np.empty(col_weights.shape[1], logits.dtype)
    candidates = np.empty(padded, np.int32)
    for row_group in range(first_group, last_group):
        top, bottom = row_groups[row_group], row_groups[row_group + 1]
        y, height = row_start[top], row_width[top]
        for col_group in range(len(col_groups) - 1):
            left, right = col_groups[col_group], col_groups[col_group + 1]
            x, width = col_start[left], col_width[left]
            for k in range(padded):
                smallest[k] = logits[y, x, k]
                largest[k] = logits[y, x, k]
            for i in range(height):
                for j in range(width):
                    corner = logits[y + i, x + j]
                    for k in range(padded):
                        smallest[k] = min(smallest[k], corner[k])
                        largest[k] = max(largest[k], corner[k])
            threshold = smallest[0]
            for k in range(padded):
                threshold = max(threshold, smallest[k])
            left_over = 0
            for k in range(padded):
                left_over += largest[k] >= threshold
            count = 0
            for k in range(classes):
                if largest[k] >= threshold:
                    candidates[count] = k
                    count += 1
                    if count == left_over:
                        break
            if count == 1:
                labels[top:bottom, left:right] = candidates[0]
                continue
            if count == 0:  # not a number
                count = classes
                for k in range(classes):
                    candidates[k] = k
            lanes = -(-(right - left) // LANES) * LANES
            for row in range(top, bottom):
                for p in range(lanes):
                    best[p] = -np.inf
                    winner[p] = candidates[0]
                for c in range(count):
                    k = candidates[c]
                    for j in range(width):
                        total = row_weights[row, 0] * logits[y, x + j, k]
                        for i in range(1, height):
                            total += row_weights[row, i] * logits[y + i, x + j, k]
                        mixed[j] = total
                    for p in range(lanes):
                        value[p] = packed[col_group, 0, p] * mixed[0]
                    for j in range(1, width - 1):
                        for p in range(lanes):
                            value[p] += packed[col_group, j, p] * mixed[j]
                    j = width - 1
                    for p in range(lanes):
                        total = value[p]
                        if j:
                            total += packed[col_group, j, p] * mixed[j]
                        larger = total > best[p]
                        best[p] = total if larger else best[p]
                        winner[p] = k if larger else winner[p]
                for p in range(right - left):
                    labels[row, left + p] = winner[p]
