"""Reading the list of class names and their colours."""

import csv
from pathlib import Path
from typing import Any

from .....errors import DataError
from ...annotation_files import read_json, read_text

Colour = tuple[int, int, int]


def read_colour_list(path: Path) -> list[tuple[str, Colour]]:
    """Read names and colours, in their order.

    Args:
        path: JSON (``{"name": [R, G, B]}``) by its suffix, else text with one
            ``name,R,G,B`` a line; there a heading, empty lines and such that begin with
            ``#`` are skipped.

    Raises:
        DataError: it cannot be read, a line is no name and colour, or a colour is there
            twice.
    """
    form = 'road,128,64,128'
    if path.suffix.lower() == '.json':
        form = '{"road": [128, 64, 128]}'
        entries = [(k, v, f'{k}: {v}') for k, v in read_json(path, form).items()]
    else:
        entries = _read_lines(path)
    if not entries:
        raise DataError(f"'{path}' has no colour: list the classes, such as {form}")
    listed: list[tuple[str, Colour]] = []
    owner: dict[Colour, str] = {}
    for name, value, where in entries:
        colour = _colour(value)
        if not name or colour is None:
            raise DataError(
                f"'{path}' has {where!r}: expected a name and three numbers from 0 to "
                f'255, such as {form}'
            )
        if colour in owner:
            raise DataError(
                f"'{path}' gives the colour {colour} to '{owner[colour]}' and to "
                f"'{name}': give each class its own"
            )
        owner[colour] = name
        listed.append((name, colour))
    return listed


def _read_lines(path: Path) -> list[tuple[str, Any, str]]:
    lines = read_text(path).splitlines()
    kept = [line for line in lines if line.strip() and not line.startswith('#')]
    rows = [[cell.strip() for cell in row] for row in csv.reader(kept)]
    if rows and [cell.lower()[:1] for cell in rows[0][1:4]] == ['r', 'g', 'b']:
        del rows[0], kept[0]
    return [(row[0], row[1:], line) for row, line in zip(rows, kept, strict=True)]


def _colour(value: Any) -> Colour | None:
    try:
        red, green, blue = (int(part) for part in value)
    except (TypeError, ValueError, OverflowError):
        return None
    inside = all(0 <= part <= 255 for part in (red, green, blue))
    return (red, green, blue) if inside else None
