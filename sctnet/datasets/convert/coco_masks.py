"""COCO's segmentations to RLE, checked before pycocotools decodes them."""

import os
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import DataError
from .annotated_images import (
    ImageFile,
    Item,
    Shape,
    Size,
    Source,
    check_size,
    naming,
)
from .annotation_files import as_points
from .names import output_name

SHARES = 'polygons from 0 to 1, as of shares of the size: coordinates are in pixels'


class Instance(NamedTuple):
    """A label, a segmentation, and what the shape is called in its file.

    The segmentation is COCO's, polygons or RLE, or a function of the image's size that
    returns polygons, or which pixels it covers, bool (H, W).
    """

    label: int
    segmentation: Any
    name: str


def check_segmented(found: Source, source: Path, remedy: str | None = None) -> None:
    """See that an image of the source has a shape; raises DataError."""
    if found.items and not any(item.labels for item in found.items):
        raise DataError(
            f"nothing in '{source}' is segmented: its annotations are boxes, lines or "
            'points, or belong to no image that it lists; '
            + (remedy or 'draw polygons or masks, and export these')
        )


def draw_instances(
    instances: Sequence[Instance], file: Path, size: Size, notes: Counter[str]
) -> list[Shape]:
    """Return the shapes of a file's instances; raises DataError."""
    shapes = []
    for label, segmentation, name in instances:
        with naming(f"{name} of '{file}'"):
            region = to_rle(segmentation, size, notes)
        if region is not None:
            shapes.append(Shape(label, partial(decode_rle, region)))
    return shapes


def item_of(
    name: str | os.PathLike,
    part: str | None,
    image: Path,
    instances: Sequence[Instance],
    file: Path,
    stated: tuple[object, object],
) -> Item:
    """Return an image with the instances that ``file`` has of it; raises DataError."""
    draw = partial(draw_instances, instances, file)
    labels = frozenset(one.label for one in instances)
    picture = ImageFile(image)
    return Item(output_name(name), part, picture, draw, labels=labels, stated=stated)


def to_rle(segmentation: Any, size: Size, notes: Counter[str]) -> dict[str, Any] | None:
    """Turn an instance's segmentation into a compressed RLE; None if nothing is left.

    Raises:
        DataError: it is no segmentation of an image of this size.
    """
    from pycocotools import mask as coco_mask

    if callable(segmentation):
        segmentation = segmentation(size)
    if isinstance(segmentation, np.ndarray):
        return coco_mask.encode(np.asfortranarray(segmentation, np.uint8))
    if isinstance(segmentation, dict):
        return _checked_rle(segmentation, size)
    listed = isinstance(segmentation, list)
    if listed and len(segmentation) > 5 and not isinstance(segmentation[0], list):
        segmentation = [segmentation]  # one polygon, without its brackets
    if not listed or not all(isinstance(numbers, list) for numbers in segmentation):
        raise DataError(
            'a segmentation is neither polygons nor an RLE: export it again'
        )
    polygons = []
    for numbers in segmentation:
        if len(numbers) < 6:  # pycocotools would take four numbers for a box
            notes['polygons of fewer than three points'] += 1
            continue
        points = as_points(zip(numbers[::2], numbers[1::2], strict=True))
        if all(0 <= n <= 1 for point in points for n in point):
            notes[SHARES] += 1
            continue
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
