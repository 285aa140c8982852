"""Label Studio's tasks: images and regions of its "JSON" and "JSON-MIN" exports."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from ...errors import DataError
from ..images import SUFFIXES
from .annotated_images import Noted, Size, check_size, naming
from .annotation_files import read_any_json
from .image_files import without_upload
from .outlines import ellipse, rectangle

_OPAQUE = 128  # of 255: an edge of a brush is soft


@dataclass
class Region:
    """A class, and how its polygon or mask is drawn, as an ``Instance`` takes it."""

    label: str
    segmentation: Callable[[Size], Any]


@dataclass
class Task:
    """An image with the regions of its last annotation.

    Attributes:
        number: its id.
        image: path or last part of its address.
        regions: in their order; None where nobody has annotated it.
        stated: (height, width) of the image that was annotated.
    """

    number: int
    image: str
    regions: list[Region] | None = None
    stated: tuple[object, object] = (None, None)


@dataclass
class _Annotation:
    number: int
    results: Sequence[Mapping[str, Any]] = field(default_factory=list)


def is_tasks(content: Any) -> bool:
    """Whether a JSON's content is of Label Studio's form."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(task, dict) and 'id' in task for task in content)
        and any(_image_of(task) for task in content[:9])
    )


def read_tasks(file: Path, notes: Counter[str]) -> list[Task]:
    """Read the tasks of a file; ``notes`` counts what is left out.

    Raises:
        DataError: it is none of Label Studio's, or damaged.
    """
    content = read_any_json(file)
    if not is_tasks(content):
        raise DataError(
            f"'{file}' has no list of tasks with an id and an image: export them as "
            '"JSON" or "JSON-MIN"'
        )
    last: dict[int, tuple[str, _Annotation | None]] = {}
    with naming(f"'{file}'"):
        for row in content:
            image = _image_of(row)
            if image is None:
                notes['tasks without an image'] += 1
                continue
            kept = last.get(int(row['id']), (image, None))[1]
            for annotation in _annotations(row):
                if kept is not None:
                    notes['annotations of a task that has a later one'] += 1
                if kept is None or annotation.number >= kept.number:
                    kept = annotation
            last[int(row['id'])] = image, kept
        return [_task(n, image, found, notes) for n, (image, found) in last.items()]


def _image_of(task: Mapping[str, Any]) -> str | None:
    """Return the path of the image in the task's data, as far as it is known."""
    data = task.get('data', task)
    values = [data.get('image'), *data.values()] if isinstance(data, dict) else []
    for value in values:
        if not isinstance(value, str):
            continue
        address = urlsplit(value.replace('\\', '/'))
        local = parse_qs(address.query).get('d', [''])[0]
        path = (local or address.path).lstrip('/')
        if path.lower().endswith(SUFFIXES):
            return without_upload(path)
    return None


def _annotations(row: Mapping[str, Any]) -> Iterator[_Annotation]:
    """Yield a task's annotations, of either export."""
    listed = row.get('annotations', row.get('completions'))
    if isinstance(listed, list):
        for one in listed:
            if not isinstance(one, dict):
                raise ValueError('an annotation is no object')
            results = [r for r in one.get('result') or [] if isinstance(r, dict)]
            if not (one.get('was_cancelled') or one.get('skipped')):
                yield _Annotation(int(one.get('id') or 0), results)
    elif row.get('annotation_id') is not None:
        results = [
            {'value': one, **one}
            for tag in row.values()
            for one in (tag if isinstance(tag, list) else [])
            if isinstance(one, dict)
        ]
        yield _Annotation(int(row['annotation_id']), results)


def _task(
    number: int, image: str, annotation: _Annotation | None, notes: Counter[str]
) -> Task:
    if annotation is None:
        return Task(number, image)
    regions: list[Region] = []
    task = Task(number, image, regions)
    labelled = {one.get('id') for one in annotation.results if _labels(one)} - {None}
    for one in annotation.results:
        value, names = one.get('value'), _labels(one)
        value = value if isinstance(value, dict) else {}
        draw = _drawing(value)
        if not names and one.get('id') in labelled:
            continue  # <Labels> apart from <Polygon> write every region twice
        if not names or draw is None:
            kind = one.get('type') or '/'.join(sorted(value.keys() - {'id'}))
            notes[f'results that are no labelled area ({kind})'] += 1
            continue
        if len(names) > 1:
            notes[Noted('regions of several labels, taken for the first')] += 1
        stated = one.get('original_height'), one.get('original_width')
        task.stated = stated
        regions.append(Region(str(names[0]), partial(draw, value, stated)))
    return task


def _labels(result: Mapping[str, Any]) -> list[Any]:
    value = result.get('value')
    for key, names in value.items() if isinstance(value, dict) else ():
        if key.lower().endswith('labels') and isinstance(names, list):
            return names
    return []


def _drawing(value: Mapping[str, Any]) -> Callable[..., Any] | None:
    """Return what draws a region of this kind."""
    for keys, draw in (
        ({'rle'}, _brush),
        ({'points'}, _polygon),
        ({'x', 'y', 'radiusX', 'radiusY'}, _ellipse),
        ({'x', 'y', 'width', 'height'}, _rectangle),
    ):
        if keys <= value.keys():
            return draw
    return None


def _polygon(value: Mapping[str, Any], stated: Any, size: Size) -> list[list[float]]:
    """Return a polygon in pixels; the file has percents of the sides."""
    height, width = size
    points = [(x * width / 100, y * height / 100) for x, y in value['points']]
    return [[number for point in points for number in point]]


def _rectangle(value: Mapping[str, Any], stated: Any, size: Size) -> list[list[float]]:
    """Return a rectangle, which is turned about its upper left corner."""
    height, width = size
    left, top = value['x'] * width / 100, value['y'] * height / 100
    sides = value['width'] * width / 100, value['height'] * height / 100
    turn = value.get('rotation') or 0
    flat = np.array(rectangle(0, 0, *sides, turn)).reshape(-1, 2)
    return [(flat - flat[0] + (left, top)).ravel().tolist()]


def _ellipse(value: Mapping[str, Any], stated: Any, size: Size) -> list[list[float]]:
    height, width = size
    x, y = value['x'] * width / 100, value['y'] * height / 100
    radii = value['radiusX'] * width / 100, value['radiusY'] * height / 100
    return [ellipse(x, y, *radii, value.get('rotation') or 0)]


def _brush(value: Mapping[str, Any], stated: Any, size: Size) -> np.ndarray:
    check_size(stated, size)
    return decode_brush(value['rle'], size) >= _OPAQUE


def decode_brush(data: Sequence[int], size: Size) -> np.ndarray:
    """Decode the opacity of a brush's strokes, uint8 (H, W).

    The bytes are a row of bits: a count of values, their width, four widths of lengths;
    then for each run whether one value is repeated, which of these widths its length
    has, the length less one, and one value or as many. There are four values a pixel,
    of which the last is the opacity.

    Raises:
        DataError: it is of another size.
    """
    bits = bin(int.from_bytes(b'\1' + bytes(data), 'big'))[3:]
    place = 0

    def read(count: int) -> int:
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    number, width = read(32), read(5) + 1
    lengths = [read(4) + 1 for _ in range(4)]
    if number != 4 * size[0] * size[1]:
        raise DataError(
            f'its strokes have {number // 4} pixels and the image {size[0] * size[1]}: '
            'use the image that was labelled'
        )
    values = np.empty(number, np.uint8)
    start = 0
    while start < number:
        repeated, end = read(1), start + 1 + read(lengths[read(2)])
        count = 1 if repeated else end - start
        values[start:end] = [read(width) for _ in range(count)]
        start = end
    return values.reshape(*size, 4)[..., 3]
