"""Options that several formats share: class names and the background."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from ...errors import ArgumentError
from .annotated_images import IGNORED
from .annotation_files import read_text

IGNORE = 'ignore'


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
    if not isinstance(text, str):
        parts = list(text)
    elif os.path.isfile(text):  # pathlib raises for a name that is too long
        parts = read_text(Path(text)).splitlines()
    elif text.lower().endswith(('.txt', '.names', '.csv')):
        raise ArgumentError(f"there is no file '{text}' for --classes: check the path")
    else:
        parts = text.split(',')
    names = tuple(part.strip() for part in parts if part.strip())
    if not names or len(set(names)) < len(names):
        raise ArgumentError(
            f'--classes {text!r} gives the names {names}: expected each once, such as '
            'floor,wall,door, or a file with one name a line'
        )
    return names


def with_background(
    names: Sequence[str], background: str
) -> tuple[tuple[str, ...], int]:
    """Return all class names and the index of pixels without annotation.

    A class that has the background's name already moves to the front.
    """
    if background == IGNORE:
        return tuple(names), IGNORED
    return (background, *(name for name in names if name != background)), 0
