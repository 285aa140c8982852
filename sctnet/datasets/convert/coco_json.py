"""COCO's JSON files: which there are, and the images and shapes that one lists."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ...errors import DataError
from ...files import find_files
from .annotated_images import ImageFile, Item, Shape, Source
from .annotation_files import read_json
from .coco_masks import Instance, draw_instances
from .image_files import GUESSED, ImageFinder, without_host
from .names import output_name
from .splits import part_of
from .turned_polygons import draw_stretched, is_of_label_studio, reaches_beyond

_TABLES = ('images', 'annotations', 'categories')
# Of the same images as its instances.
_OF_COCO_ALONE = ('person_keypoints_', 'captions_')


Found = tuple[Path, str | None, dict[str, Any]]


def find_jsons(folder: Path) -> tuple[list[Found], list[Found]]:
    """Return the JSON files of COCO's form below a folder: path, part, and content.

    The first list is of those with shapes, the second of those with segments.
    """
    shapes: list[Found] = []
    segments: list[Found] = []
    for path in find_files(folder, ('.json',)):
        if path.name.startswith(_OF_COCO_ALONE):
            continue
        try:
            contents = read_json(path, marks=_TABLES)
        except DataError:
            continue  # of another kind
        if contents.keys() >= {*_TABLES}:
            text = '/'.join(path.relative_to(folder).with_suffix('').parts)
            words = re.split('[^a-z]+', text.lower())
            parts = [part for part in map(part_of, words) if part]
            listed = segments if is_panoptic(contents) else shapes
            listed.append((path, parts[-1] if parts else None, contents))
    return shapes, segments


def is_panoptic(contents: dict[str, Any]) -> bool:
    """Whether annotations are lists of segments, which a PNG shows."""
    rows = contents.get('annotations')
    return is_table(rows) and any('segments_info' in row for row in rows)


def is_table(rows: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether something is a list of JSON objects."""
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


@dataclass
class ListedImage:
    """An image with all that is annotated on it, by whatever entry and file.

    Attributes:
        name: of the files to be made.
        image: the file.
        stated: height and width, as the JSON has them.
        instances: of all annotations.
        draw: makes shapes of them.
        upright: whether they are drawn on the image as its tag turns it.
    """

    name: str
    image: ImageFile
    stated: tuple[Any, Any]
    instances: list[Instance]
    draw: Callable[..., np.ndarray | list[Shape]]
    upright: bool

    def item(self, part: str | None) -> Item:
        """Return it as an item of this part."""
        return Item(
            self.name,
            part,
            self.image,
            self.draw,
            labels=frozenset(one.label for one in self.instances),
            stated=self.stated,
            upright=self.upright,
        )


class CocoFile:
    """One JSON file with the folder of its images and the part that they go to."""

    def __init__(
        self,
        path: Path,
        part: str | None,
        contents: dict[str, Any],
        images: Path | None,
    ) -> None:
        self.path = path
        self.part = part
        self.contents = contents
        above = path.parent.parent
        near = [path.parent, path.parent / 'images', above / 'images']
        if part:
            near += [place / part for place in (*near[1:], above)]
        # COCO's own: annotations/instances_train2017.json beside train2017.
        near += [above / path.stem.rpartition('_')[2]]
        self.folders = [images] if images else near
        for key in _TABLES:
            rows = self.contents.get(key)
            if not is_table(rows):
                raise DataError(
                    f"'{path}' has no list '{key}' of objects: expected COCO's "
                    'instance annotations; export them as "COCO JSON"'
                )

        self.categories = self._categories()
        self.draw: Callable[..., np.ndarray | list[Shape]] = draw_instances

    def _categories(self) -> dict[Any, str]:
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

    def used(self) -> set[str | None]:
        """Return the names of the categories that are annotated."""
        rows = self.contents['annotations']
        return {self.categories.get(as_key(row.get('category_id'))) for row in rows}

    def add_images(
        self, found: Source, listed: dict[tuple[str | None, Path], ListedImage]
    ) -> None:
        """Add to what is ``listed`` already; a broken entry is a failure of its own."""
        entries = self.contents['images']
        written = (str(entry.get('file_name')) for entry in entries)
        finder = ImageFinder(self.folders, written)
        rows = defaultdict(list)
        for row in self.contents['annotations']:
            if row.get('segmentation'):
                rows[as_key(row.get('image_id'))].append(row)
            else:
                found.skipped['annotations without a segmentation'] += 1
        index = {name: label for label, name in enumerate(found.classes)}
        labels = {
            n: index[name] for n, name in self.categories.items() if name in index
        }
        for entry in entries:
            own = rows.pop(as_key(entry.get('id')), [])
            try:
                one = self._listed(entry, own, labels, finder, found.skipped)
                other = listed.setdefault((self.part, one.image.path), one)
                if other is not one:
                    self._merge(other, one, found.skipped)
            except DataError as error:
                found.failed.append(str(error))
        lost = sum(map(len, rows.values()))
        if lost:
            found.skipped['annotations of images that are not listed'] += lost

    def _merge(self, other: ListedImage, one: ListedImage, notes: Counter[str]) -> None:
        if other.stated != one.stated:
            raise DataError(
                f"'{one.image}' is listed twice, with the sizes {other.stated} and "
                f'{one.stated}: correct the entry'
            )
        other.instances += one.instances
        other.upright |= one.upright
        notes['entries of an image that was listed before, put together'] += 1

    def _listed(
        self,
        entry: dict,
        rows: list[dict],
        labels: dict[Any, int],
        finder: ImageFinder,
        notes: Counter[str],
    ) -> ListedImage:
        name = entry.get('file_name')
        if not isinstance(name, str) or not name:
            raise DataError(
                f"'{self.path}' has an image without file_name (id {entry.get('id')!r})"
                ': export it again'
            )
        name = without_host(name)
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
        draw = partial(draw_stretched, stated) if stretched else self.draw
        return ListedImage(
            output_name(name),
            ImageFile(image),
            stated,
            instances,
            partial(draw, instances, self.path),
            stretched or beyond,
        )


def as_key(value: Any) -> int | str | None:
    """Return an id to look up: a number where it is one, also as text or a float."""
    try:
        return int(value) if float(value) == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return value if isinstance(value, str) else None
