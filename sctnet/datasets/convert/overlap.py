"""Drawing shapes that overlap: which is seen, and which are hidden by others."""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...errors import ArgumentError
from .annotated_images import IGNORED, Size

ORDERS = {
    'file': 'later ones over earlier ones',
    'area': 'small ones over large ones',
    'classes': 'classes that are named later over those before',
}
_HIDDEN = 0.9  # of a shape's pixels


class Shape(NamedTuple):
    """A label, and what says which pixels it covers, bool (H, W)."""

    label: int
    cover: Callable[[], np.ndarray]


def add_order(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--order``."""
    listed = '; '.join(f'{name}: {text}' for name, text in ORDERS.items())
    parser.add_argument(
        '--order',
        choices=ORDERS,
        default=default,
        help=f'where shapes overlap, {listed} (default: {default})',
    )


def check_order(order: str) -> None:
    """See that there is such an order; raises ArgumentError."""
    if order not in ORDERS:
        raise ArgumentError(
            f'--order is {order!r}: expected one of {", ".join(ORDERS)}'
        )


def paint(
    shapes: Sequence[Shape],
    size: Size,
    fill: int,
    order: str,
    names: Sequence[str],
    notes: Counter[str],
) -> np.ndarray:
    """Draw shapes into a label map, uint8 (H, W), and count those that are not seen.

    Args:
        shapes: in the order of the file.
        size: of the image.
        fill: label where there is none.
        order: of :data:`ORDERS`.
        names: of the classes.
        notes: counts shapes outside of the image, and those of which nine tenths lie
            under shapes of another class.
    """
    areas = [int(shape.cover().sum()) for shape in shapes]
    places = list(range(len(shapes)))
    if order == 'area':
        places.sort(key=lambda place: -areas[place])
    elif order == 'classes':
        places.sort(key=lambda place: shapes[place].label)
    owner = np.full(size, -1, np.int32)
    for place in places:
        owner[shapes[place].cover()] = place
    table = np.array([*(shape.label for shape in shapes), fill], np.uint8)
    labels = table[owner]
    for place, shape in enumerate(shapes):
        if not areas[place]:
            notes['shapes without a pixel in the image'] += 1
            continue
        seen = labels[shape.cover()]
        hidden = seen != shape.label
        if hidden.sum() >= _HIDDEN * areas[place]:
            above = int(np.bincount(seen[hidden]).argmax())
            pair = f'{_name(shape.label, names)} under {_name(above, names)}'
            notes[f'shapes hidden by others, {pair} (see --order)'] += 1
    return labels


def _name(label: int, names: Sequence[str]) -> str:
    return 'ignore' if label == IGNORED else names[label]
