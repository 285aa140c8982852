"""Polygons of COCO's form on images that an orientation tag turns.

Tools state the sides of the raw image beside polygons on the turned one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .annotated_images import Shape, Size, as_size
from .coco_masks import Instance, draw_instances


def is_of_label_studio(contents: Mapping[str, Any]) -> bool:
    """Whether a JSON of COCO's form is an export of Label Studio."""
    info = contents.get('info')
    return isinstance(info, dict) and info.get('contributor') == 'Label Studio'


def reaches_beyond(rows: Sequence[dict], stated: tuple[Any, Any]) -> bool:
    """Whether a polygon leaves the stated (height, width): it is of another image."""
    try:
        height, width = map(int, stated)
        polygons = [p for row in rows for p in row['segmentation'] if len(p) > 1]
        if not all(isinstance(polygon, list) for polygon in polygons):
            return False
        return any(
            max(polygon[0::2]) > width + 1 or max(polygon[1::2]) > height + 1
            for polygon in polygons
        )
    except (TypeError, ValueError):
        return False


def draw_stretched(
    stated: tuple[Any, Any],
    instances: Sequence[Instance],
    file: Path,
    size: Size,
    notes: Counter[str],
) -> list[Shape]:
    """Draw what Label Studio has drawn on the turned image.

    It has multiplied percents of that image's sides by those of the raw one, which it
    states.
    """
    if as_size(stated) == size[::-1]:
        factors = size[1] / size[0], size[0] / size[1]
        instances = [
            one._replace(segmentation=_stretch(one.segmentation, factors))
            for one in instances
        ]
    return draw_instances(instances, file, size, notes)


def _stretch(segmentation: Any, factors: tuple[float, float]) -> Any:
    """Multiply the x and the y of polygons; masks stay."""
    if not isinstance(segmentation, list):
        return segmentation
    x, y = factors
    return [
        [n * (y if place % 2 else x) for place, n in enumerate(polygon)]
        for polygon in segmentation
    ]
