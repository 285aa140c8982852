"""YOLO's outlines: data.yaml, and a text file an image, as Ultralytics reads them.

A line is a class and an outline, ``0 x1 y1 x2 y2 x3 y3 ...``, as shares of the image's
width and height. The text of ``images/train/a.jpg`` is ``labels/train/a.txt``. Without
one, or with an empty one, an image is all background. The parts are those of data.yaml:
folders, lists of images, or several of either. Nothing in it is downloaded or run.
Lines of five numbers are boxes, which outline nothing: they are left out and counted.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from .....compat.optional_packages import require
from .....errors import DataError
from .....files import find_files
from ...annotated_images import ImageFile, Item, Shape, Size, Source
from ...annotation_files import LOSSLESS, read_text
from ...class_names import read_names
from ...coco_masks import decode_rle, to_rle
from ...options import of_shapes
from ...recognised import Ask, Recognised
from .listing import find_listing, list_images

SOURCE = 'data.yaml, or the folder that holds it'
_SLACK = 0.5  # of a side, by which outlines may be drawn over the edge
Line = tuple[int, list[str]]  # its number, and what it holds


def read(
    source: Path,
    order: str = 'area',
    background: str = 'background',
    skip_empty: bool = False,
) -> Source:
    """List the images of all parts; raises ArgumentError, DataError."""
    require('pycocotools')
    file = find_listing(source) if source.is_dir() else source
    names = None if file is None else read_names(file)
    if file is None or names is None:
        raise DataError(
            f"'{source}' has no data.yaml with names and train, nor classes.txt beside "
            'labels: add it, or name it'
        )
    found = of_shapes(names.classes, background, order, skip_empty)
    labels = [found.classes.index(name) for name in names.classes]
    outlines = False
    for part, image, name in list_images(file, found):
        lines = _outlines(_text_of(image), found)
        outlines |= bool(lines)
        draw = partial(_draw, _text_of(image), lines, labels)
        numbers = {int(words[0]) for _, words in lines if words[0].isdecimal()}
        kinds = frozenset(labels[n] for n in numbers if n < len(labels))
        known = kinds if kinds or not lines else None  # else it is an error when drawn
        item = Item(name, part, ImageFile(image), draw, labels=known)
        found.items.append(item)
    if not outlines:
        raise DataError(
            f"no image of '{file}' has an outline, a line of a class and three points "
            'or more: its text files hold boxes, or are not in labels where the images '
            'are in images; export it for segmentation'
        )
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for names and text files; any single YAML may have the names."""
    if data.is_dir():
        texts = data / 'labels'  # of which the list may be missing
        known = texts.is_dir() and not find_files(texts, LOSSLESS)
        known = (find_listing(data) is not None or known) and _has_lines(data)
    else:
        known = data.suffix.lower() in ('.yaml', '.yml')
    return Recognised('yolo', data, "YOLO's text files") if known else None


def _has_lines(folder: Path) -> bool:
    """Whether a folder has text files of YOLO's lines, of outlines or of boxes."""
    for file in find_files(folder, ('.txt',))[:1000]:
        try:
            words = read_text(file).strip().partition('\n')[0].split()
        except DataError:
            continue
        numbers = len(words) > 4 and all(map(_is_number, words))
        if numbers and float(words[0]).is_integer():
            return True
    return False


def _text_of(image: Path) -> Path:
    """Return where the outlines of an image lie: in labels for images, or beside it."""
    parts = list(image.parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == 'images':
            other = Path(*parts[:place], 'labels', *parts[place + 1 :])
            if other.with_suffix('.txt').is_file():
                return other.with_suffix('.txt')
            break
    return image.with_suffix('.txt')


def _outlines(file: Path, found: Source) -> list[Line]:
    """Return the lines that are no boxes, each with its number and its words."""
    if not file.is_file():
        return []
    kept = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        words = line.split()
        if len(words) == 5:
            found.leave_out('boxes, which outline nothing', file)
        elif words:
            kept.append((number, words))
    return kept


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _draw(
    file: Path,
    lines: Sequence[Line],
    labels: Sequence[int],
    size: Size,
    notes: Counter[str],
) -> list[Shape]:
    """Return outlines; ``labels`` are those of the file's classes."""
    shapes = []
    for number, words in lines:
        where = f"'{file}', line {number},"
        if len(words) < 7 or len(words) % 2 == 0 or not all(map(_is_number, words)):
            raise DataError(
                f'{where} has {len(words)} words: expected a class and pairs of '
                'numbers, three or more; export it again'
            )
        label, points = float(words[0]), np.array(words[1:], float).reshape(-1, 2)
        if label not in range(len(labels)):
            raise DataError(
                f'{where} is of class {words[0]} and data.yaml names {len(labels)}: '
                'add its name there'
            )
        if not (points.min() >= -_SLACK and points.max() <= 1 + _SLACK):
            raise DataError(
                f'{where} has points from {points.min():g} to {points.max():g}: '
                'expected shares of the width and height, from 0 to 1; divide by them'
            )
        outline = (points * size[::-1]).ravel().tolist()
        region = to_rle([outline], size, notes)
        shapes.append(Shape(labels[int(label)], partial(decode_rle, region)))
    return shapes
