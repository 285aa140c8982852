"""COCO's JSON files: which there are, and the images and shapes that one lists."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import find_files
from .annotated_images import ImageFile, Item, Shape, Size, Source, check_size
from .annotation_files import read_json
from .coco_masks import decode_rle, to_rle
from .image_files import ImageFinder
from .names import output_name
from .splits import part_of

_TABLES = ('images', 'annotations', 'categories')
# Of the same images as its instances.
_OF_COCO_ALONE = ('person_keypoints_', 'captions_', 'panoptic_')


def find_jsons(folder: Path) -> list[tuple[Path, str | None, dict[str, Any]]]:
    """Return the JSON files of COCO's form below a folder: path, part, and content."""
    found = []
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
            found.append((path, parts[-1] if parts else None, contents))
    return found


@dataclass
class ListedImage:
    """An image with all that is annotated on it, by whatever entry and file.

    Attributes:
        name: of the files to be made.
        image: the file.
        stated: height and width, as the JSON has them.
        instances: label and row of each annotation.
    """

    name: str
    image: ImageFile
    stated: tuple[Any, Any]
    instances: list[tuple[int, dict]]

    def item(self, part: str | None) -> Item:
        """Return it as an item of this part."""
        draw = partial(_draw, self.stated, self.instances)
        labels = frozenset(label for label, _ in self.instances)
        return Item(self.name, part, self.image, draw, labels=labels)


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
            if not _is_table(rows):
                raise DataError(
                    f"'{path}' has no list '{key}' of objects: expected COCO's "
                    'instance annotations; export them as "COCO JSON"'
                )

        self.categories = self._categories()

    def _categories(self) -> dict[int, str]:
        """Return the name of each category's id."""
        try:
            rows = self.contents['categories']
            return {int(row['id']): str(row['name']) for row in rows}
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"'{self.path}' has a category without a number as id, or without a "
                f'name ({error!r}): export it again'
            ) from error

    def used(self) -> set[str | None]:
        """Return the names of the categories that are annotated."""
        numbers = {
            _hashable(r.get('category_id')) for r in self.contents['annotations']
        }
        return {self.categories.get(number) for number in numbers}

    def add_images(
        self, found: Source, listed: dict[tuple[str | None, Path], ListedImage]
    ) -> None:
        """Add to what is ``listed`` already; a broken entry is a failure of its own."""
        entries = self.contents['images']
        written = (str(entry.get('file_name')) for entry in entries)
        finder = ImageFinder(self.folders, (n.replace('\\', '/') for n in written))
        rows = defaultdict(list)
        for row in self.contents['annotations']:
            if row.get('segmentation'):
                rows[_hashable(row.get('image_id'))].append(row)
            else:
                found.skipped['annotations without a segmentation'] += 1
        index = {name: label for label, name in enumerate(found.classes)}
        labels = {
            n: index[name] for n, name in self.categories.items() if name in index
        }
        for entry in entries:
            own = rows.pop(_hashable(entry.get('id')), [])
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
        notes['entries of an image that was listed before, put together'] += 1

    def _listed(
        self,
        entry: dict,
        rows: list[dict],
        labels: dict[int, int],
        finder: ImageFinder,
        notes: Counter[str],
    ) -> ListedImage:
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
        return ListedImage(output_name(relative), ImageFile(image), stated, instances)


def _is_table(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _draw(
    stated: tuple[Any, Any],
    instances: Sequence[tuple[int, dict]],
    size: Size,
    notes: Counter[str],
) -> list[Shape]:
    """Return the shapes of labels and rows of the JSON."""
    check_size(stated, size)
    shapes = []
    for label, row in instances:
        region = to_rle(row['segmentation'], size, notes)
        if region is not None:
            shapes.append(Shape(label, partial(decode_rle, region)))
    return shapes
