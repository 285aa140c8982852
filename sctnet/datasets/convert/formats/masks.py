"""Index masks: one number a pixel, beside images or in folders of their own.

Images and masks may lie in two folders, in one with names such as a.jpg and a_mask.png,
or in folders of the parts. Values become classes as they are, or by --map, and 255 is
to ignore. Names of the classes are found beside the data, or given.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from ....errors import ArgumentError, DataError
from ..annotated_images import IGNORED, ImageFile, Item, Size, Source
from ..annotation_files import read_values_and_palette
from ..class_names import find_names
from ..names import output_name
from ..options import IGNORE, parse_classes
from ..pairing import Pairs, find_pairs
from ..splits import without_part

SOURCE = 'folder of images and masks'
NO_PALETTE = np.empty((0, 3), np.uint8)


def read(
    source: Path,
    masks: Path | None = None,
    mapping: str | None = None,
    classes: str | Sequence[str] | None = None,
) -> Source:
    """List the images that have a mask; raises ArgumentError, DataError.

    Folders of usual names (``train``, ``valid``, ...) are the splits.
    """
    known = None if classes else find_names(source)
    names = parse_classes(classes) if classes else known and known.classes
    if not names:
        raise ArgumentError(
            f"no names of classes lie beside '{source}': give them with --classes, in "
            'the order of the values, such as background,road'
        )
    table = parse_map(mapping, names)
    found = Source(tuple(names))
    if known and known.palette:
        found.palette = known.palette
    add_index_pairs(found, source, masks, table)
    return found


def add_index_pairs(
    found: Source,
    source: Path,
    masks: Path | None,
    table: Mapping[int, int] | None = None,
) -> None:
    """Add images and index masks to ``found``, which has its classes.

    Args:
        found: takes them.
        source: folder of the images.
        masks: that of the masks; None if they lie below ``source``.
        table: class index by stored value; None takes them as they are.
    """
    pairs = find_pairs(source, masks)
    palette = np.empty((0, 3), np.uint8)
    with suppress(DataError):  # a broken mask is named when it is drawn
        for _, first, _ in pairs.pairs[:1]:
            _, palette = read_values_and_palette(first)
    add_pairs(found, pairs, partial(draw_values, table, len(found.classes), palette))


def add_pairs(found: Source, pairs: Pairs, draw: Callable[..., np.ndarray]) -> None:
    """Add pairs to ``found``; ``draw`` takes the mask's path, then as ``Draw`` does."""
    for image, mask, path in pairs.pairs:
        part, rest = without_part(path)
        name = output_name(f'{rest}.x')
        found.items.append(Item(name, part, ImageFile(image), partial(draw, mask)))
    for file in pairs.images:
        found.leave_out('images without a mask', file)
    for file in pairs.masks:
        found.leave_out('masks without an image', file)


def parse_map(text: str | None, names: tuple[str, ...]) -> dict[int, int] | None:
    """Turn ``'0:0,255:1,7:ignore'`` into class indices by stored value.

    Args:
        text: pairs of a value, and an index, a name or ``ignore``; None maps nothing.
            Where all are to ignore, other values stay as they are.
        names: of the classes.

    Raises:
        ArgumentError: it is no such list.
    """
    if text is None:
        return None
    index_of = {**{name: i for i, name in enumerate(names)}, IGNORE: IGNORED}
    table = {}
    for pair in text.split(','):
        stored, _, meant = (part.strip() for part in pair.partition(':'))
        number = int(meant) if re.fullmatch('[0-9]+', meant) else None
        target = index_of.get(meant, number)
        inside = target is not None and (target < len(names) or target == IGNORED)
        if not re.fullmatch('-?[0-9]+', stored) or not inside:
            raise ArgumentError(
                f'--map has {pair!r}: expected a stored value and a class (0 to '
                f'{len(names) - 1}, its name, or ignore), such as 255:1'
            )
        table[int(stored)] = int(target or 0)
    if set(table.values()) == {IGNORED}:
        table = {**{i: i for i in (*range(len(names)), IGNORED)}, **table}
    return table


def draw_values(
    table: Mapping[int, int] | None,
    classes: int,
    palette: np.ndarray,
    mask: Path,
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Read a mask, map its values, and see that they are classes."""
    stored, own = read_values_and_palette(mask)
    values, places = np.unique(stored, return_inverse=True)
    both = values[values < min(len(own), len(palette))] if len(own) else values[:0]
    if (own[both] != palette[both]).any():
        notes["masks whose palette gives an index another colour than the first's"] += 1
    if table is None:
        labels = values.astype(np.int64)
        outside = (labels < 0) | (labels >= classes) & (labels != IGNORED)
        remedy = 'name all with --classes, or use the format masks with its --map'
    else:
        labels = np.array([table.get(int(value), -1) for value in values])
        outside = labels < 0
        remedy = 'say what they mean with --map, such as {}:ignore'
    if outside.any():
        raise DataError(
            f"mask '{mask}' has the values {values[outside][:5].tolist()}, which are "
            f'none of the {classes} classes: {remedy.format(values[outside][0])}'
        )
    return labels[places].reshape(stored.shape).astype(np.uint8)
