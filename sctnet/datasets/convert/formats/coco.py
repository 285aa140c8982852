"""COCO's JSON: polygons and RLE, as COCO, CVAT, Roboflow and Label Studio export them.

Classes are ordered by category id, which may have gaps. Shapes are drawn from the
largest to the smallest, so that of two that overlap the smaller one is seen; or in the
order of the file, with --order file. Of a folder all JSON files are read; names such as
train, valid and test in their path are the splits.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ....compat.optional_packages import require
from ....errors import DataError
from ..annotated_images import Source
from ..coco_json import CocoFile, Listed, find_jsons
from ..coco_masks import check_segmented
from ..options import of_shapes, with_background
from ..recognised import Ask, Recognised, json_files

SOURCE = 'JSON file, or folder of them'


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
    found = of_shapes((), background, order, skip_empty)
    part = 'train' if val_annotations else None
    if source.is_dir():
        files = [CocoFile(*one, images) for one in find_jsons(source, False)]
        if not files:
            raise DataError(
                f"'{source}' has no JSON of COCO's below it (images, annotations and "
                'categories): name the file, or export as "COCO JSON"'
            )
    else:
        files = [CocoFile(source, part, images)]
    if val_annotations:
        files.append(CocoFile(val_annotations, 'val', val_images or images))
    list_images(files, found, background)
    remedy = 'take the format "panoptic" for its segments'
    check_segmented(found, source, remedy if find_jsons(source, True) else None)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for JSON files of COCO's form; any single JSON file may be one."""
    if data.is_dir():
        return describe('coco', data, find_jsons(data, False), "COCO's form")
    if data.suffix.lower() != '.json':
        return None
    return describe('coco', data, [(data, None)], "COCO's form")


def describe(
    name: str, data: Path, listed: Sequence[tuple[Path, str | None]], form: str
) -> Recognised | None:
    """Say how many JSON files there are, and of which parts."""
    if not listed:
        return None
    parts = sorted({part for _, part in listed if part})
    with_parts = f', with the parts {", ".join(parts)}' if parts else ''
    return Recognised(name, data, f'{json_files(len(listed))} of {form}{with_parts}')


def list_images(files: Sequence[CocoFile], found: Source, background: str) -> None:
    """Add the classes and images of all files to ``found``."""
    named = _names(files, found)
    found.classes, _ = with_background(named, background)
    listed: dict[tuple[str | None, Path], Listed] = {}
    for file in files:
        file.add_images(found, listed)
    for one in listed.values():
        labels = frozenset(instance.label for instance in one.instances)
        found.items.append(replace(one.item, labels=labels))


def _names(files: Sequence[CocoFile], found: Source) -> list[str]:
    """Return the names of all categories, by number, without an unused parent."""
    rows = [row for file in files for row in file.contents['categories']]
    parents = {str(row.get('supercategory')) for row in rows} & {
        str(row['name']) for row in rows if row.get('supercategory') == 'none'
    }
    used = {name for file in files for name in file.used()}
    for parent in sorted(parents - used):
        found.said.append(
            f"dropped: '{parent}', which has no annotation and is what others belong to"
        )
    names: dict[str, Any] = {}  # the least id that a file gives it
    for file in files:
        for number, name in file.categories.items():
            names[name] = min(names.get(name, number), number, key=_by_number)
        for name, count in Counter(file.categories.values()).items():
            if count > 1:
                found.said.append(
                    f"one class, '{name}': {count} categories of '{file.path}'"
                )
    ordered = sorted(names, key=lambda name: _by_number(names[name]))
    kept = [name for name in ordered if name not in parents - used]
    for name in kept:
        lacking = [f for f in files if name not in f.categories.values()]
        if lacking:
            found.said.append(f"'{name}' is no category of '{lacking[0].path}'")
    return kept


def _by_number(key: int | str) -> tuple[bool, int | str]:
    return isinstance(key, str), key
