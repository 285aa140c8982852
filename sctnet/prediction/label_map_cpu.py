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

import numpy as np
import torch

from ..compat.compiled import compiled
from .resampling import Resampling

LANES = 8  # classes and pixels are padded to whole vectors of float32


def cpu_labels(
    logits: np.ndarray,
    rows: Resampling,
    columns: Resampling,
    labels: np.ndarray,
    threads: int | None = None,
) -> None:
    """Write the winning class of every pixel into ``labels``; the first where equal.

    Args:
        logits: (K, h, w), float32 or float64, any strides.
        rows: from h to H.
        columns: from w to W.
        labels: (H, W), of any integer type that holds K - 1.
        threads: how many work on it; torch's number by default.
    """
    by_class = _classes_last(logits)
    packed = _pack(columns)
    threads = max(1, min(threads or torch.get_num_threads(), len(rows.groups) - 1))
    parts = np.linspace(0, len(rows.groups) - 1, 4 * threads + 1).astype(np.int64)

    def work(part: int) -> None:
        span = (parts[part], parts[part + 1])
        _label_cells(
            by_class, len(logits), tuple(rows), tuple(columns), packed, *span, labels
        )

    # Threads of our own: Numba's fork-join layers may not be entered by two at once.
    mapped = map if threads == 1 else _pool(threads, os.getpid()).map
    list(mapped(work, range(4 * threads)))


@cache
def _pool(threads: int, pid: int) -> ThreadPoolExecutor:
    """Return the threads of this process; those of a forked parent do not run here."""
    return ThreadPoolExecutor(threads, 'sctnet')


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


@compiled(error_model='numpy')
def _label_cells(
    logits, classes, rows, columns, packed, first_group, last_group, labels
):
    """Label the cells of some groups of rows."""
    row_start, row_width, row_weights, row_groups = rows
    col_start, col_width, _, col_groups = columns
    width, padded = logits.shape[1:]
    low = np.empty((width, padded), logits.dtype)
    high = np.empty((width, padded), logits.dtype)
    bounds = np.empty((2, padded), logits.dtype)
    candidates = np.empty(padded, np.int32)
    tallest = (row_groups[1:] - row_groups[:-1]).max()
    mixed = np.empty((row_weights.shape[1], packed.shape[2]), logits.dtype)
    best = np.empty((tallest, packed.shape[2]), logits.dtype)
    winner = np.empty((tallest, packed.shape[2]), np.int32)
    for row_group in range(first_group, last_group):
        top, bottom = row_groups[row_group], row_groups[row_group + 1]
        y = row_start[top]
        _bound_columns(logits[y : y + row_width[top]], low, high)
        for group in range(len(col_groups) - 1):
            left, right = col_groups[group], col_groups[group + 1]
            x = col_start[left]
            end = x + col_width[left]
            count = _find_candidates(
                low[x:end], high[x:end], classes, bounds, candidates
            )
            if count == 1:
                labels[top:bottom, left:right] = candidates[0]
                continue
            best[:] = -np.inf
            winner[:] = candidates[0]
            for k in candidates[:count]:
                _compete(
                    logits[y : y + row_width[top], x:end, k],
                    row_weights[top:bottom],
                    packed[group, :, : -(-(right - left) // LANES) * LANES],
                    k, mixed, best, winner,
                )  # fmt: skip
            for row in range(bottom - top):
                for column in range(right - left):
                    labels[top + row, left + column] = winner[row, column]


@compiled(error_model='numpy')
def _bound_columns(neighbours, low, high):
    """Smallest and largest of each column's neighbours, for every class."""
    for x in range(neighbours.shape[1]):
        for k in range(neighbours.shape[2]):
            low[x, k] = neighbours[0, x, k]
            high[x, k] = neighbours[0, x, k]
        for i in range(1, len(neighbours)):
            for k in range(neighbours.shape[2]):
                low[x, k] = min(low[x, k], neighbours[i, x, k])
                high[x, k] = max(high[x, k], neighbours[i, x, k])


@compiled(error_model='numpy')
def _find_candidates(low, high, classes, bounds, candidates):
    """List the classes that can win in a cell; return their number."""
    smallest, largest = bounds
    padded = len(smallest)
    for k in range(padded):
        smallest[k] = low[0, k]
        largest[k] = high[0, k]
    for x in range(1, len(low)):
        for k in range(padded):
            smallest[k] = min(smallest[k], low[x, k])
            largest[k] = max(largest[k], high[x, k])
    least = _maximum(smallest)
    count, only = 0, 0
    for k in range(classes):
        reached = largest[k] >= least
        count += reached
        only = max(only, k * reached)
    if count == 1:
        candidates[0] = only
        return count
    found = 0
    for k in range(classes):
        if largest[k] >= least:
            candidates[found] = k
            found += 1
            if found == count:
                break
    if count == 0:  # not a number
        count = classes
        for k in range(classes):
            candidates[k] = k
    return count


@compiled(fastmath={'nnan', 'nsz', 'reassoc'})
def _maximum(values):
    """Largest of ``values``; without regard to NaN it takes whole vectors."""
    largest = values[0]
    for value in values:
        largest = max(largest, value)
    return largest


@compiled(error_model='numpy')
def _compete(corners, row_weights, col_weights, k, mixed, best, winner):
    """Interpolate one class in a cell and note where it is the best so far."""
    lanes = col_weights.shape[1]
    for i in range(corners.shape[0]):
        for p in range(lanes):
            mixed[i, p] = corners[i, 0] * col_weights[0, p]
        for j in range(1, corners.shape[1]):
            for p in range(lanes):
                mixed[i, p] += corners[i, j] * col_weights[j, p]
    for row in range(len(row_weights)):
        for p in range(lanes):
            value = row_weights[row, 0] * mixed[0, p]
            if corners.shape[0] > 1:
                value += row_weights[row, 1] * mixed[1, p]
            for i in range(2, corners.shape[0]):
                value += row_weights[row, i] * mixed[i, p]
            larger = value > best[row, p]
            best[row, p] = value if larger else best[row, p]
            winner[row, p] = k if larger else winner[row, p]
