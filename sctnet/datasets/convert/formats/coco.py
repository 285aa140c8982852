"""COCO's JSON: polygons and RLE, as COCO, CVAT, Roboflow and Label Studio export them.

Classes are ordered by category id, which may have gaps. Shapes are drawn from the
largest to the smallest, so that of two that overlap the smaller one is seen; or in the
order of the file, with --order file. Of a folder all JSON files are read; names such as
train, valid and test in their path are the splits.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ..annotated_images import ImageFile, Item, Size, Source, check_size
from ..annotation_files import read_json
from ..coco_files import find_jsons, is_panoptic, is_table
from ..coco_masks import decode_rle, to_rle
from ..image_files import ImageFinder
from ..names import output_name
from ..options import add_background, with_background
from ..overlap import Shape, add_order, check_order, paint

SOURCE = 'JSON file, or folder of them'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``read`` takes."""
    add = parser.add_argument
    add('--images', type=Path, help="their folder (default: the JSON's, or near it)")
    add('--val-annotations', type=Path, help='a second JSON file, for validation')
    add('--val-images', type=Path, help='their folder (default: as of --images)')
    add_order(parser, 'area')
    add_background(parser)


def read(
    source: Path,
    images: Path | None = None,
    val_annotations: Path | None = None,
    val_images: Path | None = None,
    order: str = 'area',
    background: str = 'background',
    skip_empty: bool = False,
) -> Source:
    """List the images of one JSON file, of a pair to train and validate, or of many.

    Raises ArgumentError, DataError.
    """
    require('pycocotools')
    check_order(order)
    if source.is_dir():
        files = [CocoFile(path, images, part) for path, part in find_jsons(source)[0]]
        if not files:
            raise DataError(
                f"'{source}' has no JSON of COCO's below it (images, annotations and "
                'categories): name the file, or export as "COCO JSON"'
            )
    else:
        part = 'train' if val_annotations else None
        files = [CocoFile(source, images, part)]
    if val_annotations:
        files.append(CocoFile(val_annotations, val_images or images, 'val'))
    found = list_images(files, background, skip_empty, order)
    if not any(not item.empty for item in found.items):
        remedy = 'export instance segmentation as "COCO JSON"'
        if is_panoptic(files[0].contents):
            remedy = 'take the format "panoptic" for its segments'
        raise DataError(
            f"nothing in '{source}' is segmented: its annotations are boxes, or belong "
            f'to no image that it lists; {remedy}'
        )
    return found


def list_images(
    files: Sequence['CocoFile'], background: str, skip_empty: bool, order: str
) -> Source:
    """Return the images of JSON files of one set of categories; raises DataError."""
    categories: dict[int, str] = {}
    for file in files:
        for number, name in file.categories().items():
            if categories.setdefault(number, name) != name:
                raise DataError(
                    f"category {number} is '{categories[number]}' in "
                    f"'{files[0].path}' and '{name}' in '{file.path}': export both "
                    'with the same categories'
                )
    named = list(dict.fromkeys(name for _, name in sorted(categories.items())))
    classes, fill = with_background(named, background)
    labels = {number: classes.index(name) for number, name in categories.items()}
    found = Source(classes)
    for file in files:
        skip = skip_empty or background == 'ignore'
        file.add_items(found, labels, fill, skip, order)
    return found


class Drawn(NamedTuple):
    """How shapes are drawn: over which label, in which order, of which classes."""

    fill: int
    order: str
    names: Sequence[str]


class CocoFile:
    """One JSON file with the folder of its images and the part that they go to."""

    def __init__(self, path: Path, images: Path | None, part: str | None) -> None:
        self.path = path
        self.part = part
        self.contents = read_json(path)
        self.draw: Callable[..., np.ndarray] = _draw
        above = path.parent.parent
        near = [path.parent, path.parent / 'images', above / 'images']
        if part:
            near += [place / part for place in (*near[1:], above)]
        # COCO's own: annotations/instances_train2017.json beside train2017.
        near += [above / path.stem.rpartition('_')[2]]
        self.folders = [images] if images else near
        for key in ('images', 'annotations', 'categories'):
            rows = self.contents.get(key)
            if not is_table(rows):
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
        self,
        found: Source,
        labels: dict[int, int],
        fill: int,
        skip_empty: bool,
        order: str,
    ) -> None:
        """Add the images to ``found``; a broken entry is a failure of its own."""
        drawn = Drawn(fill, order, found.classes)
        written = (str(entry.get('file_name')) for entry in self.contents['images'])
        finder = ImageFinder(self.folders, (n.replace('\\', '/') for n in written))
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
                item = self._item(entry, own, labels, drawn, finder, found.skipped)
                found.items.append(item)
            except DataError as error:
                found.failed.append(str(error))
        lost = sum(map(len, rows.values()))
        if lost:
            found.skipped['annotations of images that are not listed'] += lost

    def _item(
        self,
        entry: dict,
        rows: list[dict],
        labels: dict[int, int],
        drawn: Drawn,
        finder: ImageFinder,
        notes: Counter[str],
    ) -> Item:
        name = entry.get('file_name')
        if not isinstance(name, str) or not name:
            raise DataError(
                f"'{self.path}' has an image without file_name (id {entry.get('id')!r})"
                ': export it again'
            )
        relative = name.replace('\\', '/')
        image, guessed = finder.find(relative)
        if guessed:
            notes['images found by the last part of their name alone'] += 1
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
        draw = partial(self.draw, stated, instances, drawn)
        name = output_name(relative)
        return Item(name, self.part, ImageFile(image), draw, empty=not rows)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _draw(
    stated: tuple[Any, Any],
    instances: Sequence[tuple[int, dict]],
    drawn: Drawn,
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Draw labels and rows of the JSON."""
    check_size(stated, size)
    shapes = []
    for label, row in instances:
        region = to_rle(row['segmentation'], size, notes)
        if region is not None:
            shapes.append(Shape(label, partial(decode_rle, region)))
    return paint(shapes, size, drawn.fill, drawn.order, drawn.names, notes)
