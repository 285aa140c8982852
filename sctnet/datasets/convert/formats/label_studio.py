"""Label Studio's JSON, and its brush masks as PNG, one a class.

Of a "JSON" or "JSON-MIN" export polygons, rectangles, ellipses and brush strokes are
drawn in their order. A folder of "Brush labels to PNG" does not say which image a task
is of: put the JSON export beside it, or name the images by their task, such as 12.jpg.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ....files import find_files
from ...images import SUFFIXES
from ..annotated_images import Item, Size, Source, check_size
from ..annotation_files import beginning, read_any_json, read_values
from ..coco_masks import Instance, check_segmented, item_of
from ..image_files import ImageFinder
from ..label_studio_tasks import Region, Task, is_tasks, read_tasks
from ..options import of_shapes, with_background
from ..recognised import Ask, Recognised, json_files
from ..splits import without_part

SOURCE = 'JSON file, or folder of it or of brush masks'
BRUSH = re.compile('task-([0-9]+)-annotation-([0-9]+)-by-[^-]*-(.+)-[0-9]+[.]png')


def read(
    source: Path,
    images: Path | None = None,
    background: str = 'background',
    order: str = 'file',
    skip_empty: bool = False,
) -> Source:
    """List the annotated images; raises ArgumentError, DataError."""
    require('pycocotools')
    found = of_shapes((), background, order, skip_empty)
    found.open = True
    folder = source if source.is_dir() else source.parent
    files = _find_tasks(source) if source.is_dir() else [source]
    tasks = [task for file in files for task in read_tasks(file, found.skipped)]
    brushes = _find_brushes(source) if source.is_dir() else []
    if not (tasks or brushes):
        raise DataError(
            f'\'{source}\' has no tasks of Label Studio: export them as "JSON"'
        )
    if not any(task.regions for task in tasks) and brushes:
        tasks = _with_brushes(source, brushes, tasks, images or folder, found)
    elif brushes:
        found.skipped['brush masks, as the JSON has their strokes'] += len(brushes)
    labels = {region.label for task in tasks for region in task.regions or []}
    found.classes, _ = with_background(sorted(labels), background)
    finder = ImageFinder([images or folder], (task.image for task in tasks))
    for task in tasks:
        if task.regions is None:
            found.leave_out('tasks that nobody has annotated', task.image)
        else:
            found.items.append(_item(task, source, finder, found))
    paths = [item.image.path for item in found.items]
    if paths and not any(path.is_file() for path in paths):
        raise DataError(
            f"none of the {len(paths)} images of '{source}' is there, the first "
            f"'{paths[0]}': name their folder with --images (the export has none)"
        )
    check_segmented(found, source)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for JSON files of tasks, and brush masks."""
    files = _find_tasks(data)
    masks = _find_brushes(data) if data.is_dir() else []
    said = [f'{json_files(len(files))} of tasks']
    said += [f'{len(masks)} brush masks'] if masks else []
    if not (files or masks):
        return None
    return Recognised('label_studio', data, f"Label Studio's, {' and '.join(said)}")


def _find_tasks(source: Path) -> list[Path]:
    """Return the JSON files of tasks below a folder, or a file that is one."""
    found = []
    for file in find_files(source, '.json') if source.is_dir() else [source]:
        with suppress(DataError):  # of another kind
            # Most JSON files are objects, and large.
            listed = beginning(file).lstrip(b'\xef\xbb\xbf \r\n\t').startswith(b'[')
            if listed and is_tasks(read_any_json(file)):
                found.append(file)
    return found


def _find_brushes(folder: Path) -> list[Path]:
    """Return the brush masks below a folder, by their names."""
    return [file for file in find_files(folder, '.png') if BRUSH.fullmatch(file.name)]


def _with_brushes(
    source: Path,
    brushes: Sequence[Path],
    tasks: Sequence[Task],
    images: Path,
    found: Source,
) -> list[Task]:
    """Return the tasks with the masks of their last annotation."""
    image_of = {task.number: task.image for task in tasks}
    if not image_of:
        pictures = (f for f in find_files(images, SUFFIXES) if f.stem.isdecimal())
        image_of = {int(f.stem): str(f.relative_to(images)) for f in pictures}
    masks: dict[int, dict[int, list[Region]]] = {}
    for file in brushes:
        if match := BRUSH.fullmatch(file.name):
            number, annotation, name = int(match[1]), int(match[2]), match[3]
            label = name.partition('-')[2] or name  # behind the tag of the labelling
            region = Region(label, partial(_mask, file))
            masks.setdefault(number, {}).setdefault(annotation, []).append(region)
    known = masks.keys() & image_of.keys()
    if not known:
        raise DataError(
            f"'{source}' has {len(brushes)} brush masks of Label Studio, and nothing "
            'says which image a task is of: put its "JSON" export beside them, or name '
            'the images by their task, such as 12.jpg'
        )
    unknown = masks.keys() - known
    lost = sum(len(one) for number in unknown for one in masks[number].values())
    earlier = sum(len(masks[task]) - 1 for task in known)
    for reason, count in (
        ('brush masks of a task whose image is not known', lost),
        ('annotations of a task that has a later one', earlier),
    ):
        if count:
            found.skipped[reason] += count
    return [
        Task(n, image, masks[n][max(masks[n])] if n in masks else None)
        for n, image in image_of.items()
    ]


def _mask(file: Path, size: Size) -> np.ndarray:
    opacity = read_values(file)
    check_size(opacity.shape, size)
    return opacity > 127


def _item(task: Task, source: Path, finder: ImageFinder, found: Source) -> Item:
    image = finder.find(task.image, found.skipped)
    instances = []
    for place, region in enumerate(task.regions or [], 1):
        name = f'region {place} ({region.label}) of task {task.number}'
        label = found.classes.index(region.label)
        instances.append(Instance(label, region.segmentation, name))
    part, rest = without_part(Path(unquote(task.image)))
    return item_of(rest, part, image, instances, source, task.stated)
