"""Options of conversions: declared once, and what stands in some of them read."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

from ...errors import ArgumentError
from .annotated_images import IGNORED, Source
from .annotation_files import read_text
from .overlap import ORDERS, check_order

IGNORE = 'ignore'
UNKNOWN = ('error', IGNORE)
_NAMES = 'in their order: a,b,c, or a file with one a line'
_BACKGROUND = 'class 0, of pixels without annotation, or "ignore": they become 255'
# Of formats, by the parameters of their readers.
_OWN: dict[str, dict[str, Any]] = {
    'images': {'type': Path, 'help': 'their folder (default: found near the source)'},
    'masks': {'type': Path, 'help': 'their folder (default: found by its name)'},
    'mapping': {
        'metavar': 'VALUES',
        'help': 'stored value to class or "ignore", such as 0:0,255:1,7:ignore',
    },
    'classes': {'metavar': 'NAMES', 'help': _NAMES},
    'colours': {'type': Path, 'help': 'list of name,R,G,B, for masks in colours'},
    'tolerance': {
        'type': float,
        'metavar': 'N',
        'help': 'take the nearest listed colour, up to this far in RGB, such as 100',
    },
    'unknown': {'choices': UNKNOWN, 'help': 'of other colours'},
    'val_annotations': {'type': Path, 'help': 'a second JSON file, for validation'},
    'val_images': {'type': Path, 'help': 'their folder (default: as of --images)'},
    'row_major': {
        'action': argparse.BooleanOptionalAction,
        'help': 'whether runs go along the rows (default: down the columns)',
    },
    'unlisted': {
        'action': 'store_true',
        'help': 'images without a line are background',
    },
    'order': {
        'choices': ORDERS,
        'help': 'where shapes overlap, '
        + '; '.join(f'{name}: {text}' for name, text in ORDERS.items()),
    },
    'background': {'metavar': 'NAME', 'help': _BACKGROUND},
    'skip_empty': {
        'action': 'store_true',
        'help': 'leave out images without annotation',
    },
}


def add_own(parser: argparse.ArgumentParser, read: Callable[..., Source]) -> None:
    """Add the options that a format's reader takes, with its defaults."""
    _, *parameters = signature(read).parameters.values()
    for one in parameters:
        option, words = _own(one.name)
        required = one.default is one.empty
        if isinstance(one.default, str):
            words['help'] += f' (default: {one.default})'
        default = None if required else one.default
        parser.add_argument(option, required=required, default=default, **words)


def add_all(parser: argparse.ArgumentParser) -> None:
    """Add the options of all formats; None stands for what the format does."""
    for name in _OWN:
        option, words = _own(name)
        parser.add_argument(option, default=None, **words)


def _own(name: str) -> tuple[str, dict[str, Any]]:
    return option_of(name), {'dest': name, **_OWN[name]}


def option_of(name: str) -> str:
    """Return a parameter as it is typed: ``--map`` of ``mapping``."""
    return f'--{"map" if name == "mapping" else name.replace("_", "-")}'


def add_general(parser: argparse.ArgumentParser, *keep: str) -> None:
    """Add what holds for all formats; ``keep`` are the options for classes to keep."""
    add = parser.add_argument
    add(
        '--rename',
        metavar='NAMES',
        help='such as car=vehicle,bus=vehicle,tree=ignore, or a file of such lines',
    )
    add(
        *keep,
        dest='keep',
        metavar='NAMES',
        help=f'classes to keep, after --rename, {_NAMES}',
    )
    add('--val', type=float, help='share, if there is no such part (default: 0.1)')
    add('--test', type=float, help='share, likewise (default: 0)')
    add('--group', metavar='REGEX', help='names that agree in it stay together')
    add('--stratify', action='store_true', help="spread each class's images")
    add('--lists', type=Path, help='folder of train.txt, val.txt, ..., or a JSON')
    add('--tile', type=int, metavar='SIDE', help='cut larger images, with their labels')
    add('--overlap', type=int, default=0, help='of tiles, in pixels (default: 0)')


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
