"""Options that several formats share: class names and the background."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import ArgumentError
from .annotated_images import IGNORED, Source
from .annotation_files import read_text
from .overlap import check_order

IGNORE = 'ignore'


KEEP = 'classes to keep, in their order, after --rename: a,b,c, or a file of lines'


def add_general(parser: argparse.ArgumentParser) -> None:
    """Add what holds for all formats: names, parts and tiles."""
    add = parser.add_argument
    add(
        '--rename',
        metavar='NAMES',
        help='such as car=vehicle,bus=vehicle,tree=ignore, or a file of such lines',
    )
    add('--val', type=float, help='share, if there is no such part (default: 0.1)')
    add('--test', type=float, help='share, likewise (default: 0)')
    add('--group', metavar='REGEX', help='names that agree in it stay together')
    add('--stratify', action='store_true', help="spread each class's images")
    add('--lists', type=Path, help='folder of train.txt, val.txt, ..., or a JSON')
    add('--tile', type=int, metavar='SIDE', help='cut larger images, with their labels')
    add('--overlap', type=int, default=0, help='of tiles, in pixels (default: 0)')


def add_background(parser: argparse.ArgumentParser) -> None:
    """Add ``--background`` and ``--skip-empty``."""
    parser.add_argument(
        '--background',
        default='background',
        metavar='NAME',
        help='class 0, of pixels without annotation, or "ignore": they become 255',
    )
    parser.add_argument(
        '--skip-empty', action='store_true', help='leave out images without annotation'
    )


def add_classes(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--classes``; ``default`` says in words what holds without it."""
    parser.add_argument(
        '--classes',
        metavar='NAMES',
        help=f'in their order: a,b,c, or a file with one a line (default: {default})',
    )


def parse_classes(text: str | Sequence[str]) -> tuple[str, ...]:
    """Turn ``'a,b,c'``, or the path of a file with one name a line, into names.

    Names in a list are taken as they are, commas in them too.

    Raises:
        ArgumentError: a name is there twice, or none is.
        DataError: the file cannot be read.
    """
    parts = _entries(text, '--classes') if isinstance(text, str) else text
    names = tuple(part.strip() for part in parts if part.strip())
    if not names or len(set(names)) < len(names):
        raise ArgumentError(
            f'--classes {text!r} gives the names {names}: expected each once, such as '
            'floor,wall,door, or a file with one name a line'
        )
    return names


def _entries(text: str, option: str) -> list[str]:
    """Return what stands between commas, or on the lines of a file."""
    if os.path.isfile(text):  # pathlib raises for a name that is too long
        return read_text(Path(text)).splitlines()
    if text.lower().endswith(('.txt', '.names', '.csv')):
        raise ArgumentError(f"there is no file '{text}' for {option}: check the path")
    return text.split(',')


def parse_rename(given: str | Mapping[str, str] | None) -> dict[str, str]:
    """Turn ``'car=vehicle,tree=ignore'``, or a file of such lines, into new names.

    Raises:
        ArgumentError: it is no such list, or names one class twice.
        DataError: the file cannot be read.
    """
    if given is None or isinstance(given, Mapping):
        return {str(old): str(new) for old, new in (given or {}).items()}
    renamed: dict[str, str] = {}
    for entry in _entries(given, '--rename'):
        old, _, new = (part.strip() for part in entry.rpartition('='))
        if entry.strip() and (not old or not new or old in renamed):
            raise ArgumentError(
                f'--rename has {entry.strip()!r}: expected each class once, with its '
                'new name, such as car=vehicle,bus=vehicle,tree=ignore'
            )
        if old:
            renamed[old] = new
    return renamed


def of_shapes(
    names: Sequence[str], background: str, order: str, skip_empty: bool
) -> Source:
    """Return an empty source of shapes that are painted over the background.

    Without a background, images without annotation are left out.

    Raises:
        ArgumentError: there is no such order.
    """
    check_order(order)
    classes, fill = with_background(names, background)
    skip = skip_empty or background == IGNORE
    return Source(classes, fill=fill, order=order, skip_empty=skip)


def with_background(
    names: Sequence[str], background: str
) -> tuple[tuple[str, ...], int]:
    """Return all class names and the index of pixels without annotation.

    A class that has the background's name already moves to the front.
    """
    if background == IGNORE:
        return tuple(names), IGNORED
    return (background, *(name for name in names if name != background)), 0
