"""COCO's segmentations to RLE, checked before pycocotools decodes them."""

from collections import Counter
from typing import Any

import numpy as np

from ...errors import DataError
from .annotated_images import Size, check_size
from .annotation_files import as_points


def to_rle(segmentation: Any, size: Size, notes: Counter[str]) -> dict[str, Any] | None:
    """Turn a segmentation into a compressed RLE; None if no polygon is left.

    Raises:
        DataError: it is no segmentation of an image of this size.
    """
    from pycocotools import mask as coco_mask

    if isinstance(segmentation, dict):
        return _checked_rle(segmentation, size)
    listed = isinstance(segmentation, list)
    if not listed or not all(isinstance(numbers, list) for numbers in segmentation):
        raise DataError(
            'a segmentation is neither polygons nor an RLE: export it again'
        )
    polygons = []
    for numbers in segmentation:
        if len(numbers) < 6:  # pycocotools would take four numbers for a box
            notes['polygons of fewer than three points'] += 1
            continue
        as_points(zip(numbers[::2], numbers[1::2], strict=True))
        polygons.append([float(number) for number in numbers])
    if not polygons:
        return None
    return coco_mask.merge(coco_mask.frPyObjects(polygons, *size))


def _checked_rle(rle: dict[str, Any], size: Size) -> dict[str, Any]:
    """See that an RLE covers the image: pycocotools leaves the rest to chance."""
    from pycocotools import mask as coco_mask

    check_size(tuple(rle['size']), size)
    counts = rle['counts']
    if isinstance(counts, list):
        runs = [int(count) for count in counts]
    else:
        runs = _runs(counts.encode() if isinstance(counts, str) else counts)
    if sum(runs) != size[0] * size[1] or min(runs) < 0:
        raise DataError(
            f'an RLE covers {sum(runs)} pixels and the image has {size[0] * size[1]}: '
            'encode the mask again'
        )
    return coco_mask.frPyObjects({'size': list(size), 'counts': runs}, *size)


def _runs(counts: bytes) -> list[int]:
    """Decode the run lengths of a compressed RLE.

    Each number is in groups of five bits, the lowest first, 32 where more follow, 48
    added to make letters; from the fourth on it is the difference to the one before
    last.
    """
    runs: list[int] = []
    value = shift = 0
    for letter in counts:
        group = letter - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs


def decode_rle(region: Any) -> np.ndarray:
    """Return which pixels a region covers, bool (H, W)."""
    from pycocotools import mask as coco_mask

    return coco_mask.decode(region).astype(bool)
