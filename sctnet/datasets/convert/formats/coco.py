"""COCO's JSON: polygons and RLE, as COCO, CVAT, Roboflow and Label Studio export them.

Classes are ordered by category id, which may have gaps. Shapes are drawn from the
largest to the smallest, so that of two that overlap the smaller one is seen; or in the
order of the file, with --order file. Of a folder all JSON files are read; names such as
train, valid and test in their path are the splits.
"""

import argparse
import re
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from ....compat.optional_packages import require
from ....errors import DataError
from ....files import find_files
from ..annotated_images import ImageFile, Item, Source
from ..annotation_files import read_json
from ..coco_masks import Drawn, Instance, check_segmented, draw_instances
from ..image_files import GUESSED, ImageFinder
from ..names import output_name
from ..options import add_background, with_background
from ..overlap import add_order, check_order
from ..splits import part_of
from ..turned_polygons import draw_stretched, is_of_label_studio, reaches_beyond

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
        files = [_File(path, images, part) for path, part in find_jsons(source)]
        if not files:
            raise DataError(
                f"'{source}' has no JSON of COCO's below it (images, annotations and "
                'categories): name the file, or export as "COCO JSON"'
            )
    else:
        part = 'train' if val_annotations else None
        files = [_File(source, images, part)]
    if val_annotations:
        files.append(_File(val_annotations, val_images or images, 'val'))
    named: dict[str, Any] = {}  # the least id that a file gives it
    for file in files:
        for number, name in file.categories().items():
            named[name] = min(named.get(name, number), number, key=_by_number)
    ordered = sorted(named, key=lambda name: _by_number(named[name]))
    classes, fill = with_background(ordered, background)
    found = Source(classes)
    for file in files:
        skip = skip_empty or background == 'ignore'
        file.add_items(found, Drawn(fill, order, classes, file.path), skip)
    check_segmented(found, source)
    return found


def find_jsons(folder: Path) -> list[tuple[Path, str | None]]:
    """Return the JSON files of COCO's form below a folder, and the part of each."""
    found = []
    for path in find_files(folder, ('.json',)):
        try:
            keys = read_json(path).keys()
        except DataError:
            continue  # of another kind
        other = path.name.startswith(_OF_COCO_ALONE)
        if keys >= {'images', 'annotations', 'categories'} and not other:
            text = '/'.join(path.relative_to(folder).with_suffix('').parts)
            words = re.split('[^a-z]+', text.lower())
            parts = [part for part in map(part_of, words) if part]
            found.append((path, parts[-1] if parts else None))
    return found


# Of the same images as its instances.
_OF_COCO_ALONE = ('person_keypoints_', 'captions_', 'panoptic_')


class _File:
    """One JSON file with the folder of its images and the part that they go to."""

    def __init__(self, path: Path, images: Path | None, part: str | None) -> None:
        self.path = path
        self.part = part
        self.contents = read_json(path)
        above = path.parent.parent
        near = [path.parent, path.parent / 'images', above / 'images']
        if part:
            near += [place / part for place in (*near[1:], above)]
        # COCO's own: annotations/instances_train2017.json beside train2017.
        near += [above / path.stem.rpartition('_')[2]]
        self.folders = [images] if images else near
        for key in ('images', 'annotations', 'categories'):
            rows = self.contents.get(key)
            if not _is_table(rows):
                raise DataError(
                    f"'{path}' has no list '{key}' of objects: expected COCO's "
                    'instance annotations; export them as "COCO JSON"'
                )

    def categories(self) -> dict[Any, str]:
        """Return the name of each category's id."""
        found: dict[Any, str] = {}
        for row in self.contents['categories']:
            key, name = as_key(row.get('id')), row.get('name')
            if key is None or name is None:
                raise DataError(
                    f"'{self.path}' has a category without an id, or without a name "
                    f'({row!r}): export it again'
                )
            if found.setdefault(key, str(name)) != str(name):
                raise DataError(
                    f"'{self.path}' gives the category {key} to '{found[key]}' and to "
                    f"'{name}': give each its own id"
                )
        return found

    def add_items(self, found: Source, drawn: Drawn, skip_empty: bool) -> None:
        """Add the images to ``found``; a broken entry is a failure of its own."""
        labels = {k: found.classes.index(n) for k, n in self.categories().items()}
        written = (str(entry.get('file_name')) for entry in self.contents['images'])
        finder = ImageFinder(self.folders, written)
        rows = defaultdict(list)
        for row in self.contents['annotations']:
            if row.get('segmentation'):
                rows[as_key(row.get('image_id'))].append(row)
            else:
                found.skipped['annotations without a segmentation'] += 1
        entries: dict[str, tuple[dict, list[dict]]] = {}
        for entry in self.contents['images']:
            name = str(entry.get('file_name') or id(entry))
            first, own = entries.setdefault(name, (entry, []))
            if first is not entry:
                found.leave_out('entries of an image that is listed already', name)
            own += rows.pop(as_key(entry.get('id')), [])
        for entry, own in entries.values():
            if not own and skip_empty:
                found.leave_out('images without annotation', entry.get('file_name'))
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
        labels: dict[Any, int],
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
        image, guessed = finder.find(name)
        if guessed:
            notes[GUESSED] += 1
        instances = []
        for row in rows:
            label = labels.get(as_key(row.get('category_id')))
            if label is None:
                raise DataError(
                    f"'{image}': annotation {row.get('id')!r} is of category "
                    f"{row.get('category_id')!r}, which '{self.path}' does not list: "
                    'add the category, or correct the annotation'
                )
            what = f'annotation {row.get("id")!r}'
            instances.append(Instance(label, row['segmentation'], what))
        stated = entry.get('height'), entry.get('width')
        beyond = reaches_beyond(rows, stated)
        stretched = not beyond and is_of_label_studio(self.contents)
        draw = partial(draw_stretched, stated) if stretched else draw_instances
        return Item(
            output_name(name),
            self.part,
            ImageFile(image),
            partial(draw, instances, drawn),
            empty=not rows,
            stated=stated,
            upright=stretched or beyond,
        )


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def as_key(value: Any) -> int | str | None:
    """Return an id to look up: a number where it is one, also as text or a float."""
    try:
        return int(value) if float(value) == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return value if isinstance(value, str) else None


def _by_number(key: int | str) -> tuple[bool, int | str]:
    return isinstance(key, str), key
