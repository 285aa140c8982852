"""A part of a resized image or label map, without the rest of it.

OpenCV resizes an image as a whole. A training keeps a crop of the enlarged image, an
eighth of it as a rule, so most of that work is for nothing.
"""

import cv2
import numpy as np

from ...compat.compiled import compiled

Size = tuple[int, int]  # (width, height)
Box = tuple[int, int, int, int]  # (top, bottom, left, right)

_KERNEL_TYPES = (np.uint8, np.uint16, np.float32)
# Below so many times the part's pixels OpenCV, which is quicker a pixel, has the whole.
_WORTH_IT = 3


def resize_part(image: np.ndarray, size: Size, box: Box) -> np.ndarray:
    """Return ``cv2.resize(image, size)[top:bottom, left:right]``, bilinear.

    Args:
        image: (h, w) or (h, w, c), not empty.
        size: (width, height) of the whole.
        box: (top, bottom, left, right), inside of the whole.

    Returns:
        Of ``image``'s type; of uint8 equal to OpenCV's within one level, of uint16 and
        float32 within rounding.
    """
    top, bottom, left, right = box
    pixels = (bottom - top) * (right - left)
    small = size[0] * size[1] < _WORTH_IT * pixels
    if small or image.dtype not in _KERNEL_TYPES or size == image.shape[1::-1]:
        whole = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return whole[top:bottom, left:right]
    rows = _taps(image.shape[0], size[1], top, bottom)
    columns = _taps(image.shape[1], size[0], left, right)
    y, x = rows[0][0], columns[0][0]
    part = image[y : rows[1][-1] + 1, x : columns[1][-1] + 1]
    flat = np.ascontiguousarray(part).reshape(len(part), -1)
    channels = flat.shape[1] // part.shape[1]
    out = np.empty((bottom - top, (right - left) * channels), image.dtype)
    half = np.float32(0 if image.dtype == np.float32 else 0.5)  # rounds to the nearest
    down, along = _from(y, rows), _each_channel(_from(x, columns), channels)
    _interpolate(flat, *down, *along, half, out)
    shape = (bottom - top, right - left, channels)
    return out.reshape(shape if channels > 1 else shape[:2])


def resize_labels_part(labels: np.ndarray, size: Size, box: Box) -> np.ndarray:
    """Return the same of a label map by the nearest label, equal to OpenCV's.

    Args:
        labels: (h, w), of any type.
        size: (width, height) of the whole.
        box: (top, bottom, left, right), inside of the whole.
    """
    top, bottom, left, right = box
    rows = _nearest(labels.shape[0], size[1])[top:bottom]
    columns = _nearest(labels.shape[1], size[0])[left:right]
    part = labels[:, columns[0] : columns[-1] + 1].take(rows, axis=0)
    return part.take(columns - columns[0], axis=1)


def _nearest(length: int, size: int) -> np.ndarray:
    """Which of ``length`` places OpenCV takes for each of ``size``."""
    places = np.arange(length, dtype=np.float32)[None]
    chosen = cv2.resize(places, (size, 1), interpolation=cv2.INTER_NEAREST)
    return chosen[0].astype(np.intp)


_Taps = tuple[np.ndarray, np.ndarray, np.ndarray]


def _taps(length: int, size: int, start: int, stop: int) -> _Taps:
    """Of places ``start`` to ``stop`` both neighbours, and the second one's weight."""
    centres = (np.arange(start, stop) + 0.5) * (length / size) - 0.5
    centres = centres.clip(0, length - 1)
    first = centres.astype(np.intp)
    second = np.minimum(first + 1, length - 1)
    return first, second, (centres - first).astype(np.float32)


def _from(origin: int, taps: _Taps) -> _Taps:
    first, second, weights = taps
    return first - origin, second - origin, weights


def _each_channel(taps: _Taps, channels: int) -> _Taps:
    """Of columns the same for every value in a row, whose channels come in turns."""
    first, second, weights = taps
    channel = np.arange(channels)
    before, after = (
        (channels * column[:, None] + channel).ravel() for column in (first, second)
    )
    return before, after, np.repeat(weights, channels)


@compiled()
def _interpolate(image, above, below, down, before, after, along, half, out):  # type: ignore
    """Fill ``out`` (h, w * c) from ``image``, each of its rows resampled once."""
    upper = np.empty(out.shape[1], np.float32)
    lower = np.empty(out.shape[1], np.float32)
    in_upper = in_lower = -1
    for y in range(len(out)):
        if in_lower == above[y]:
            upper, lower = lower, upper
            in_upper, in_lower = in_lower, in_upper
        if in_upper != above[y]:
            in_upper = above[y]
            _resample_row(image[in_upper], before, after, along, upper)
        if in_lower != below[y]:
            in_lower = below[y]
            _resample_row(image[in_lower], before, after, along, lower)
        weight, row = down[y], out[y]
        for i in range(len(row)):
            row[i] = upper[i] + (lower[i] - upper[i]) * weight + half


@compiled()
def _resample_row(row, before, after, along, out):  # type: ignore
    """Fill ``out`` (w * c) from ``row``."""
    for i in range(len(out)):
        value = np.float32(row[before[i]])
        out[i] = value + (np.float32(row[after[i]]) - value) * along[i]
