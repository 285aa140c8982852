"""The two bilinear resizes after the network, composed into one.

mmseg resizes logits to the network's input size, cuts padding off, and resizes to the
image's own size. Each step is linear and separable, so both together are one matrix for
the rows and one for the columns, with a few neighbouring weights for each output.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np


class Resampling(NamedTuple):
    """One axis: output i is the sum of ``weights[i, t] * input[start[i] + t]``.

    The weights of an output are not negative and sum to 1. ``width[i]`` counts those
    that matter; the others are 0. ``groups`` holds the first output of each run of
    outputs with the same neighbours (start and width), and the number of outputs.
    """

    start: np.ndarray  # (n_out,) int32
    width: np.ndarray  # (n_out,) int32
    weights: np.ndarray  # (n_out, taps)
    groups: np.ndarray  # (n_groups + 1,) int32


@lru_cache(maxsize=64)
def compose(
    source: int, middle: int, crop: tuple[int, int], target: int, dtype: str = 'float32'
) -> Resampling:
    """Compose the resizes ``source -> middle``, cut, ``-> target`` along one axis.

    Args:
        source: length of the logits.
        middle: length of the network's input.
        crop: how much of ``middle`` is padding before and behind the image.
        target: length of the output.
        dtype: precision in which torch would compute the weights.
    """
    index1, upper1 = bilinear(source, middle, dtype)
    index2, upper2 = bilinear(middle - sum(crop), target, dtype)
    last = middle - sum(crop) - 1
    ends = (index2 + crop[0], np.minimum(index2 + 1, last) + crop[0])
    first = index1[ends[0]]
    weights = np.zeros((target, 4), dtype)
    rows = np.arange(target)
    for end, share in zip(ends, (1 - upper2, upper2), strict=True):
        low = index1[end] - first
        high = np.minimum(index1[end] + 1, source - 1) - first
        if max(low.max(), high.max()) >= weights.shape[1]:  # a shrinking first resize
            weights = np.pad(weights, ((0, 0), (0, int(high.max()))))
        np.add.at(weights, (rows, low), share * (1 - upper1[end]))
        np.add.at(weights, (rows, high), share * upper1[end])
    return _trim(first, weights)


def bilinear(source: int, target: int, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Lower neighbour and weight of the upper one, rounded as torch rounds them."""
    kind = np.dtype(dtype).type
    scale = kind(source) / kind(target)
    position = (np.arange(target, dtype=dtype) + kind(0.5)) * scale - kind(0.5)
    position = np.clip(position, 0, source - 1)
    lower = position.astype(np.int64)
    return lower, (position - lower).astype(dtype)


def _trim(start: np.ndarray, weights: np.ndarray) -> Resampling:
    """Drop weights of 0 at either end and find the runs of equal neighbours."""
    used = weights > 0
    skipped = used.argmax(axis=1)
    width = weights.shape[1] - used[:, ::-1].argmax(axis=1) - skipped
    taps = int(width.max())
    columns = skipped[:, None] + np.arange(taps)
    padded = np.pad(weights, ((0, 0), (0, taps)))
    trimmed = np.take_along_axis(padded, columns, axis=1)
    start = start + skipped
    changes = np.flatnonzero(np.diff(start) | np.diff(width)) + 1
    groups = np.concatenate([[0], changes, [len(start)]])
    return Resampling(
        start.astype(np.int32),
        width.astype(np.int32),
        np.ascontiguousarray(trimmed),
        groups.astype(np.int32),
    )
