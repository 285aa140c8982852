"""Colour-coded masks: a folder of images, one of masks, and a list of colours.

The list has one ``name,R,G,B`` a line, or is JSON, ``{"name": [R, G, B]}``, CVAT's
``labelmap.txt`` or CamVid's ``label_colors.txt``. A class may
have several lines; the name ``ignore`` stands for 255. A mask is named as its image is,
with ``--mask-suffix`` added. JPEG masks are refused: they change colours at the edges.
"""

import argparse
import csv
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import ArgumentError, DataError
from ....files import find_files
from ...images import LOSSY, SUFFIXES
from ..annotated_images import IGNORED, ImageFile, Item, Size, Source
from ..annotation_files import LOSSLESS, read_colours, read_json, read_text
from ..class_names import COLOUR_FILES, read_names
from ..options import IGNORE
from ..splits import split_by_folder

SOURCE = 'folder of images'
UNKNOWN = ('error', IGNORE)
Colour = tuple[int, int, int]
_NONE = -1  # in the table of labels: no class has this colour


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``read`` takes."""
    add = parser.add_argument
    add('--masks', type=Path, required=True, help='their folder')
    add('--colours', type=Path, required=True, help='list of name,R,G,B')
    add('--mask-suffix', default='', metavar='TEXT', help='such as _L for a_L.png')
    add('--unknown', choices=UNKNOWN, default='error', help='colours not listed')


def read(
    source: Path,
    masks: Path,
    colours: Path,
    mask_suffix: str = '',
    unknown: str = 'error',
) -> Source:
    """List the images that have a mask; raises ArgumentError, DataError.

    ``train`` and ``val`` in ``source``, if it has both, are the splits.
    """
    if unknown not in UNKNOWN:
        raise ArgumentError(f'--unknown is {unknown!r}: expected "error" or "ignore"')
    listed = read_colour_list(colours)
    classes = tuple(dict.fromkeys(name for name, _ in listed if name != IGNORE))
    index = {IGNORE: IGNORED, **{name: i for i, name in enumerate(classes)}}
    label_of = np.full(1 << 24, _NONE, np.int16)  # of each 24-bit colour
    for name, (red, green, blue) in listed:
        label_of[red << 16 | green << 8 | blue] = index[name]
    first = dict(reversed(listed))
    found = Source(classes, palette=[list(first[name]) for name in classes])
    known = {
        file.relative_to(masks).with_suffix('').as_posix(): file
        for file in find_files(masks, LOSSY) + find_files(masks, LOSSLESS)
    }  # of two, the lossless one
    images = find_files(source, SUFFIXES)
    for image, split, name in split_by_folder(source, images, found.skipped):
        relative = image.relative_to(source).with_suffix('').as_posix()
        mask = known.get(relative + mask_suffix)
        if mask is None:
            found.leave_out('images without a mask', image)
            continue
        draw = partial(_draw, mask, label_of, unknown == IGNORE)
        found.items.append(Item(name, split, ImageFile(image), draw))
    return found


def _draw(
    mask: Path,
    label_of: np.ndarray,
    ignore_unknown: bool,
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Look up the label of each pixel's colour."""
    pixels = read_colours(mask).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    labels = label_of[packed]
    unknown = labels == _NONE
    if unknown.any():
        if not ignore_unknown:
            _refuse_unknown(mask, packed[unknown])
        notes['pixels of unknown colour, now 255'] += int(unknown.sum())
        labels[unknown] = IGNORED
    return labels.astype(np.uint8)


def _refuse_unknown(mask: Path, packed: np.ndarray) -> None:
    values, counts = np.unique(packed, return_counts=True)
    most = np.argsort(-counts, kind='stable')[:3]
    listed = ', '.join(
        f'({v >> 16}, {v >> 8 & 255}, {v & 255}) in {n} pixels'
        for v, n in zip(values[most].tolist(), counts[most].tolist(), strict=True)
    )
    raise DataError(
        f"mask '{mask}' has colours that are not listed ({len(values)}), {listed}: add "
        'them to the list of --colours, or pass --unknown ignore'
    )


def read_colour_list(path: Path) -> list[tuple[str, Colour]]:
    """Read names and colours, in their order; raises DataError.

    Args:
        path: JSON (``{"name": [R, G, B]}``) by its suffix, else text with one
            ``name,R,G,B`` a line; there a heading, empty lines and such that begin with
            ``#`` are skipped.
    """
    form = 'road,128,64,128'
    known = read_names(path) if path.name in COLOUR_FILES else None
    if known is not None and known.palette:
        colours = ((red, green, blue) for red, green, blue in known.palette)
        return list(zip(known.classes, colours, strict=True))
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
