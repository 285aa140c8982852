"""COCO's JSON files: which there are, and the images and shapes that one lists."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ...errors import DataError
from ...files import find_files
from .annotated_images import Item, Noted, Shape, Source
from .annotation_files import keys_in, read_json
from .coco_masks import Instance, draw_instances, item_of
from .image_files import ImageFinder, without_host, without_upload
from .splits import part_in
from .turned_polygons import draw_stretched, is_of_label_studio, reaches_beyond

_TABLES = ('images', 'annotations', 'categories')
# Of the same images as its instances.
_OF_COCO_ALONE = ('person_keypoints_', 'captions_')


def find_jsons(source: Path, segments: bool) -> list[tuple[Path, str | None]]:
    """Return the JSON files of COCO's form below a folder, or a file, and their parts.

    ``segments`` says of which form: those whose annotations are lists of segments,
    which a PNG shows, or those of shapes. They are known by their keys.
    """
    files = find_files(source, '.json') if source.is_dir() else [source]
    wanted = {*_TABLES, 'segments_info'} if segments else {*_TABLES}
    return [
        (path, None if path == source else part_in(path.relative_to(source)))
        for path in files
        if not path.name.startswith(_OF_COCO_ALONE)
        and keys_in(path, *_TABLES, 'segments_info') == wanted
    ]


def is_table(rows: Any) -> TypeGuard[list[dict[str, Any]]]:
    """Whether something is a list of JSON objects."""
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


@dataclass
class Listed:
    """An image, and the instances of all entries and files, which its ``draw`` has."""

    item: Item
    instances: list[Instance]


class CocoFile:
    """One JSON file with the folder of its images and the part that they go to."""

    def __init__(self, path: Path, part: str | None, images: Path | None) -> None:
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
        self, found: Source, listed: dict[tuple[str | None, Path], Listed]
    ) -> None:
        """Add to what is ``listed`` already; a broken entry is a failure of its own."""
        entries = self.contents['images']
        written = (without_upload(str(entry.get('file_name'))) for entry in entries)
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
                other = listed.setdefault((self.part, one.item.image.path), one)
                if other is not one:
                    self._merge(other, one, found.skipped)
            except DataError as error:
                found.failed.append(str(error))
        lost = sum(map(len, rows.values()))
        if lost:
            found.skipped['annotations of images that are not listed'] += lost

    def _merge(self, other: Listed, one: Listed, notes: Counter[str]) -> None:
        if other.item.stated != one.item.stated:
            raise DataError(
                f"'{one.item.image}' is listed twice, with the sizes "
                f'{other.item.stated} and {one.item.stated}: correct the entry'
            )
        other.instances += one.instances
        if one.item.upright:
            other.item = replace(other.item, upright=True)
        notes[Noted('entries of an image that was listed before, put together')] += 1

    def _listed(
        self,
        entry: dict,
        rows: list[dict],
        labels: dict[Any, int],
        finder: ImageFinder,
        notes: Counter[str],
    ) -> Listed:
        name = entry.get('file_name')
        if not isinstance(name, str) or not name:
            raise DataError(
                f"'{self.path}' has an image without file_name (id {entry.get('id')!r})"
                ': export it again'
            )
        name = without_upload(without_host(name))
        image = finder.find(name, notes)
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
        item = item_of(name, self.part, image, instances, self.path, stated)
        item = replace(
            item, draw=partial(draw, instances, self.path), upright=stretched or beyond
        )
        return Listed(item, instances)


def as_key(value: Any) -> int | str | None:
    """Return an id to look up: a number where it is one, also as text or a float."""
    try:
        return int(value) if float(value) == int(value) else None
    except (TypeError, ValueError, OverflowError):
        return value if isinstance(value, str) else None
