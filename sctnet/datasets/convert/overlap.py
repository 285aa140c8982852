"""Drawing shapes that overlap: which is seen, and which are hidden by others."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError
from .annotated_images import IGNORED, Shape, Size

ORDERS = {
    'file': 'later ones over earlier ones',
    'area': 'small ones over large ones',
    'classes': 'classes that are named later over those before',
}
_HIDDEN = 0.9  # of a shape's pixels


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
    places = list(range(len(shapes)))
    if order == 'area':
        sizes = [int(shape.cover().sum()) for shape in shapes]
        places.sort(key=lambda place: -sizes[place])
    elif order == 'classes':
        places.sort(key=lambda place: shapes[place].label)
    owner = np.full(size, len(shapes), np.int32)
    areas = [0] * len(shapes)
    for place in places:
        inside = shapes[place].cover()
        areas[place] = int(np.count_nonzero(inside))
        owner[inside] = place
    table = np.array([*(shape.label for shape in shapes), fill], np.uint8)
    labels = table[owner]
    seen = np.bincount(owner.ravel(), minlength=len(shapes))
    for place, shape in enumerate(shapes):
        if not areas[place]:
            notes['shapes without a pixel in the image'] += 1
        elif seen[place] <= (1 - _HIDDEN) * areas[place] + 1e-6:
            _note_hidden(shape, labels, names, notes)
    return labels


def _note_hidden(
    shape: Shape, labels: np.ndarray, names: Sequence[str], notes: Counter[str]
) -> None:
    """Count a shape of which little is seen, unless its own class is above it."""
    found = labels[shape.cover()]
    other = found[found != shape.label]
    if other.size >= _HIDDEN * found.size - 1e-6:
        above = int(np.bincount(other).argmax())
        pair = f'{_name(shape.label, names)} under {_name(above, names)}'
        notes[f'shapes hidden by others, {pair} (see --order)'] += 1


def _name(label: int, names: Sequence[str]) -> str:
    return 'ignore' if label == IGNORED else names[label]
