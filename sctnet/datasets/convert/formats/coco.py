"""COCO's JSON: polygons and RLE of instances, crowds among them.

Classes are ordered by category id, which may have gaps. Crowd regions are drawn first,
then the instances from the largest to the smallest, so that of two that overlap the
smaller one is seen.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ..annotated_images import ImageFile, Item, Size, Source, check_size
from ..annotation_files import read_json
from ..coco_masks import to_rle
from ..names_and_splits import output_name
from ..options import add_background, with_background

SOURCE = 'JSON file'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``read`` takes."""
    add = parser.add_argument
    add('--images', type=Path, help="their folder (default: the JSON's, or near it)")
    add('--val-annotations', type=Path, help='a second JSON file, for validation')
    add('--val-images', type=Path, help='their folder (default: as of --images)')
    add_background(parser)


def read(
    source: Path,
    images: Path | None = None,
    val_annotations: Path | None = None,
    val_images: Path | None = None,
    background: str = 'background',
    skip_empty: bool = False,
) -> Source:
    """List the images of one JSON file, or of one for training and one to validate.

    Raises ArgumentError, DataError.
    """
    require('pycocotools')
    part = 'train' if val_annotations else None
    files = [_File(source, images, part)]
    if val_annotations:
        files.append(_File(val_annotations, val_images or images, 'val'))
    categories: dict[int, str] = {}
    for file in files:
        for number, name in file.categories().items():
            if categories.setdefault(number, name) != name:
                raise DataError(
                    f"category {number} is '{categories[number]}' in '{source}' and "
                    f"'{name}' in '{file.path}': export both with the same categories"
                )
    named = list(dict.fromkeys(name for _, name in sorted(categories.items())))
    classes, fill = with_background(named, background)
    labels = {number: classes.index(name) for number, name in categories.items()}
    found = Source(classes)
    for file in files:
        file.add_items(found, labels, fill, skip_empty or background == 'ignore')
    return found


class _File:
    """One JSON file with the folder of its images and the part that they go to."""

    def __init__(self, path: Path, images: Path | None, part: str | None) -> None:
        self.path = path
        self.part = part
        self.contents = read_json(path)
        near = (path.parent, path.parent / 'images', path.parent.parent / 'images')
        self.folders = (images,) if images else near
        for key in ('images', 'annotations', 'categories'):
            rows = self.contents.get(key)
            if not _is_table(rows):
                raise DataError(
                    f"'{path}' has no list '{key}' of objects: expected COCO's "
                    'instance annotations; export them as "COCO JSON"'
                )

    def categories(self) -> dict[int, str]:
        """Return the name of each category's id."""
        try:
            rows = self.contents['categories']
            return {int(row['id']): str(row['name']) for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"'{self.path}' has a category without a number as id, or without a "
                f'name ({error!r}): export it again'
            ) from error

    def add_items(
        self, found: Source, labels: dict[int, int], fill: int, skip_empty: bool
    ) -> None:
        """Add the images to ``found``; a broken entry is a failure of its own."""
        rows = defaultdict(list)
        for row in self.contents['annotations']:
            if row.get('segmentation'):
                rows[_hashable(row.get('image_id'))].append(row)
            else:
                found.skipped['annotations without a segmentation'] += 1
        for entry in self.contents['images']:
            own = rows.pop(_hashable(entry.get('id')), [])
            if not own and skip_empty:
                name = entry.get('file_name')
                found.leave_out('images without annotation', name)
                continue
            try:
                found.items.append(self._item(entry, own, labels, fill))
            except DataError as error:
                found.failed.append(str(error))
        lost = sum(map(len, rows.values()))
        if lost:
            found.skipped['annotations of images that are not listed'] += lost

    def _item(
        self, entry: dict, rows: list[dict], labels: dict[int, int], fill: int
    ) -> Item:
        name = entry.get('file_name')
        if not isinstance(name, str) or not name:
            raise DataError(
                f"'{self.path}' has an image without file_name (id {entry.get('id')!r})"
                ': export it again'
            )
        relative = name.replace('\\', '/')
        places = [folder / relative for folder in self.folders]
        image = next((place for place in places if place.is_file()), places[0])
        instances = []
        for row in rows:
            label = labels.get(_hashable(row.get('category_id')))
            if label is None:
                raise DataError(
                    f"'{image}': annotation {row.get('id')!r} is of category "
                    f"{row.get('category_id')!r}, which '{self.path}' does not list: "
                    'add the category, or correct the annotation'
                )
            instances.append((label, row))
        stated = entry.get('height'), entry.get('width')
        draw = partial(_draw, stated, instances, fill)
        name = output_name(relative)
        return Item(name, self.part, ImageFile(image), draw, empty=not rows)


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _draw(
    stated: tuple[Any, Any],
    instances: Sequence[tuple[int, dict]],
    fill: int,
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Draw crowds, then instances (label and row of the JSON) from large to small."""
    from pycocotools import mask as coco_mask

    check_size(stated, size)
    regions = []
    for label, row in instances:
        region = to_rle(row['segmentation'], size, notes)
        if region is not None:
            area = int(coco_mask.area(region))
            regions.append((not row.get('iscrowd'), -area, label, region))
    labels = np.full(size, fill, np.uint8)
    for _, area, label, region in sorted(regions, key=lambda entry: entry[:2]):
        if area == 0:
            notes['shapes without a pixel in the image'] += 1
        labels[coco_mask.decode(region).astype(bool)] = label
    return labels
