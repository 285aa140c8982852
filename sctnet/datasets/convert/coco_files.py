"""Finding JSON files of COCO's form, of shapes or of panoptic segments."""

import re
from pathlib import Path
from typing import Any, TypeGuard

from ...errors import DataError
from ...files import find_files
from .annotation_files import read_json
from .splits import part_of

Listed = tuple[Path, str | None]
# Of the same images as its instances.
_OF_COCO_ALONE = ('person_keypoints_', 'captions_')


def find_jsons(folder: Path) -> tuple[list[Listed], list[Listed]]:
    """Return the JSON files of COCO's form below a folder, and the part of each.

    The first list is of those with shapes, the second of those with segments.
    """
    shapes: list[Listed] = []
    segments: list[Listed] = []
    for path in find_files(folder, ('.json',)):
        try:
            contents = read_json(path)
        except DataError:
            continue  # of another kind
        other = path.name.startswith(_OF_COCO_ALONE)
        if contents.keys() >= {'images', 'annotations', 'categories'} and not other:
            text = '/'.join(path.relative_to(folder).with_suffix('').parts)
            words = re.split('[^a-z]+', text.lower())
            parts = [part for part in map(part_of, words) if part]
            listed = segments if is_panoptic(contents) else shapes
            listed.append((path, parts[-1] if parts else None))
    return shapes, segments


def is_panoptic(contents: dict[str, Any]) -> bool:
    """Whether annotations are lists of segments, which a PNG shows."""
    rows = contents.get('annotations')
    return is_table(rows) and any('segments_info' in row for row in rows)


def is_table(rows: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether something is a list of JSON objects."""
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
