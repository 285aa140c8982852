"""The lines of a CSV of run lengths: which column is which, and what each says."""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .....errors import DataError
from ....images import SUFFIXES
from ...annotation_files import read_text

OBJECT = 'object'  # where no class is named
# Columns in small letters, without marks between words.
_RUNS = ('encodedpixels', 'rlemask', 'encoding', 'rle', 'annotation', 'segmentation')
_BY_ROWS = ('annotation', 'segmentation')  # Sartorius' cells, UW-Madison's scans
_IMAGES = ('imageid', 'img', 'image', 'id', 'imagename', 'filename')
_BOTH = ('imageidclassid', 'imagelabel')
_CLASSES = ('classid', 'class', 'categoryid', 'label', 'celltype')
_EMPTY = {'nan', '-1', 'none', 'null'}
_SAMPLES = re.compile('submission|metadata', re.IGNORECASE)


class Line(NamedTuple):
    """One line: the class, its runs or nothing, what size it states, its number."""

    name: str
    runs: str
    stated: tuple[object, object]
    number: int


def find_csvs(folder: Path) -> list[Path]:
    """Return the CSV files of run lengths in a folder, without samples of results."""
    files = sorted(folder.glob('*.csv')) + sorted(folder.glob('*.CSV'))
    return [
        path
        for path in dict.fromkeys(files)
        if not _SAMPLES.search(path.name) and _columns(_heading(path))
    ]


def _heading(file: Path) -> list[str]:
    try:
        with open(file, encoding='utf-8-sig', newline='') as opened:
            return next(_reader(opened.read(4096)), [])
    except (OSError, ValueError, csv.Error):
        return []


def _reader(text: str) -> Any:
    """Read rows, divided by what divides the heading."""
    lines = text.splitlines()
    return csv.reader(lines, delimiter=max(',;\t', key=''.join(lines[:1]).count))


def _columns(heading: Sequence[str]) -> tuple[int, int, int | None] | None:
    """Return the columns of the image, the runs and the class; None if there are none.

    Where the first and the last are the same, the image's name ends in the class.
    """
    plain = [re.sub('[^a-z]', '', cell.lower()) for cell in heading]

    def first(names: Sequence[str]) -> int | None:
        return next((plain.index(name) for name in names if name in plain), None)

    runs, both, image = first(_RUNS), first(_BOTH), first(_IMAGES)
    if runs is None or (both is None and image is None):
        return None
    if both is not None:
        return both, runs, both
    return int(image or 0), runs, first(_CLASSES)


def read_lines(file: Path) -> tuple[dict[str, list[Line]], bool]:
    """Return the lines of each image, and whether their runs go along the rows."""
    csv.field_size_limit(1 << 30)  # runs of a large image are megabytes
    rows = _reader(read_text(file))
    try:
        heading: list[str] = next(rows, [])
        columns = _columns(heading)
        if columns is None:
            raise DataError(
                f"'{file}' has the columns {heading[:8]}: expected an image's and one "
                'of run lengths, such as ImageId,EncodedPixels'
            )
        plain = [cell.strip().lower() for cell in heading]
        sides = [
            next((plain.index(n) for n in names if n in plain), None)
            for names in (('height', 'img_height'), ('width', 'img_width'))
        ]
        found: dict[str, list[Line]] = defaultdict(list)
        for row in rows:
            if not row:
                continue
            if len(row) != len(heading):
                raise DataError(
                    f"'{file}', line {rows.line_num}, has {len(row)} cells and the "
                    f'heading {len(heading)}: export it again'
                )
            name, kind = _names(row, columns)
            height, width = (None if side is None else row[side] for side in sides)
            runs = row[columns[1]].strip()
            runs = '' if runs.lower() in _EMPTY else runs
            found[name].append(Line(kind, runs, (height, width), rows.line_num))
    except csv.Error as error:
        raise DataError(f"'{file}' is no CSV ({error}): export it again") from error
    return found, plain[columns[1]] in _BY_ROWS


def _names(row: list[str], columns: tuple[int, int, int | None]) -> tuple[str, str]:
    """Return the names of a row's image and class."""
    image, _, kind = columns
    name = row[image].strip()
    if kind is None:
        return name, OBJECT
    label = row[kind].strip()
    if kind == image:
        known = '|'.join(re.escape(suffix) for suffix in SUFFIXES)
        match = re.fullmatch(rf'(.+(?:{known}))_(.+)', name, re.IGNORECASE)
        name, label = match.groups() if match else name.rpartition('_')[::2]
    number = re.fullmatch(r'(\d+)(?:\.0)?', label)
    return name, f'class {int(number[1])}' if number else label or OBJECT


def class_key(name: str) -> tuple[str, int]:
    """Sort numbers as numbers."""
    text, _, number = name.rpartition(' ')
    return (text, int(number)) if number.isdigit() else (name, -1)
