"""Colour-coded masks: images, masks in colours, and a list of the colours.

The list has one ``name,R,G,B`` a line, or is JSON, ``{"name": [R, G, B]}``, CVAT's
``labelmap.txt`` or CamVid's ``label_colors.txt``. A class may have several lines; the
name ``ignore`` stands for 255. Images and masks belong together by folder and name.
JPEG masks change colours at the edges: they are taken with ``--tolerance`` alone.
"""

import csv
import math
import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import ArgumentError, DataError
from ..annotated_images import IGNORED, Noted, Size, Source
from ..annotation_files import read_colours, read_json, read_text
from ..class_names import COLOUR_FILES, is_palette, read_names
from ..options import IGNORE, UNKNOWN
from ..pairing import find_pairs
from .masks import add_pairs

SOURCE = 'folder of images, or of images and masks'
FARTHEST = 442  # from black to white
Colour = tuple[int, int, int]
_NONE = -1  # in the table of labels: no class has this colour


def read(
    source: Path,
    colours: Path,
    masks: Path | None = None,
    unknown: str = 'error',
    tolerance: float = 0,
) -> Source:
    """List the images that have a mask; raises ArgumentError, DataError.

    Folders of usual names (``train``, ``valid``, ...) are the splits.
    """
    if unknown not in UNKNOWN:
        raise ArgumentError(f'--unknown is {unknown!r}: expected "error" or "ignore"')
    if not 0 <= tolerance <= FARTHEST:
        raise ArgumentError(
            f'--tolerance is {tolerance}: expected a distance of two colours, 0 to '
            f'{FARTHEST}, such as 100'
        )
    listed = read_colour_list(colours)
    classes = tuple(dict.fromkeys(name for name, _ in listed if name != IGNORE))
    index = {IGNORE: IGNORED, **{name: i for i, name in enumerate(classes)}}
    label_of = np.full(1 << 24, _NONE, np.int16)  # of each 24-bit colour
    for name, (red, green, blue) in listed:
        label_of[red << 16 | green << 8 | blue] = index[name]
    first = dict(reversed(listed))
    found = Source(classes, palette=[list(first[name]) for name in classes])
    draw = partial(_draw, label_of, tolerance, unknown == IGNORE)
    add_pairs(found, find_pairs(source, masks), draw)
    return found


def _draw(
    label_of: np.ndarray,
    tolerance: float,
    ignore_unknown: bool,
    mask: Path,
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Look up the label of each pixel's colour."""
    pixels = read_colours(mask, lossy=tolerance > 0).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    labels = label_of[packed]
    unknown = labels == _NONE
    if tolerance and unknown.any():
        values, places = np.unique(packed[unknown], return_inverse=True)
        labels[unknown] = _nearest(values, label_of, tolerance)[0][places.ravel()]
        near = unknown & (labels != _NONE)
        reason = Noted('pixels that got the class of the nearest colour')
        notes[reason] += int(near.sum())
        unknown &= ~near
    if unknown.any():
        if not ignore_unknown:
            _refuse_unknown(mask, packed[unknown], label_of)
        notes[Noted('pixels of unknown colour, now 255')] += int(unknown.sum())
        labels[unknown] = IGNORED
    return labels.astype(np.uint8)


def _nearest(
    values: np.ndarray, label_of: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of the nearest known colours, ``_NONE`` if all are too far.

    And the squares of their distances. Of two at one distance, that of the smaller
    number. ``values`` (N,) are packed.
    """
    found = np.full(len(values), _NONE, np.int16)
    least = np.full(len(values), tolerance**2 + 1e-6)
    colours = _unpacked(values)
    for known in np.flatnonzero(label_of != _NONE):
        far = ((colours - _unpacked(known)) ** 2).sum(-1)
        nearer = far < least
        found[nearer], least[nearer] = label_of[known], far[nearer]
    return found, least


def _unpacked(values: Any) -> np.ndarray:
    shifted = [np.asarray(values, np.int64) >> bits & 255 for bits in (16, 8, 0)]
    return np.stack(shifted, axis=-1)


def _refuse_unknown(mask: Path, packed: np.ndarray, label_of: np.ndarray) -> None:
    values, counts = np.unique(packed, return_counts=True)
    most = np.argsort(-counts, kind='stable')[:3]
    listed = ', '.join(
        f'({v >> 16}, {v >> 8 & 255}, {v & 255}) in {n} pixels'
        for v, n in zip(values[most].tolist(), counts[most].tolist(), strict=True)
    )
    # What does for this mask, and a little more for the others.
    far = math.sqrt(_nearest(values, label_of, FARTHEST)[1].max())
    enough = min(math.ceil(far / 50 + 0.5) * 50, FARTHEST)
    raise DataError(
        f"mask '{mask}' has colours that are not listed ({len(values)}), {listed}: add "
        'them to the list of --colours, or pass --unknown ignore or, where edges are '
        f'smeared, --tolerance {enough}'
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
        if not name or not is_palette([value], 1):
            raise DataError(
                f"'{path}' has {where!r}: expected a name and three numbers from 0 to "
                f'255, such as {form}'
            )
        red, green, blue = value
        colour = red, green, blue
        if colour in owner:
            raise DataError(
                f"'{path}' gives the colour {colour} to '{owner[colour]}' and to "
                f"'{name}': give each class its own"
            )
        owner[colour] = name
        listed.append((name, colour))
    return listed


def _read_lines(path: Path) -> list[tuple[str, Any, str]]:
    entries: list[tuple[str, Any, str]] = []
    for line in read_text(path).splitlines():
        text = re.sub(r'(^|\s)#.*', '', line)
        if text.strip():
            # A line of its own each: a lone quote would swallow those that follow.
            name, *rest = (cell.strip() for cell in next(csv.reader([text])))
            heading = [cell.lower()[:1] for cell in rest] == ['r', 'g', 'b']
            if entries or not heading:
                entries.append((name, [*map(_number, rest)], line))
    return entries


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch('[0-9]{1,3}', text) else None
