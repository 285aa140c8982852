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
from ..annotated_images import IGNORED, ImageFile, Item, Noted, Size, Source
from ..annotation_files import read_values_and_palette
from ..class_names import Names, find_names
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
    palette, order = known and known.palette, _renumbered(known, mapping)
    if order:
        palette = palette and [palette[stored] for stored in order]
        names = tuple(names[stored] for stored in order)
    table = parse_map(mapping, names)
    found = Source(tuple(names), palette=palette)
    if order:
        listed = ', '.join(f'{n}: {name}' for n, name in enumerate(names))
        found.said.append(f'renumbered by --map: {listed}')
    add_index_pairs(found, source, masks, table)
    return found


def _renumbered(known: Names | None, mapping: str | None) -> list[int]:
    """Return the stored value of each class, where a map of numbers has another order.

    The names in a file are of the stored values, unless it has none for some of these.
    """
    order: dict[str, int] = {}
    for stored, meant in re.findall(r'(-?\d+)\s*:\s*(\w+)', mapping or ''):
        order.setdefault(meant, int(stored))
    order.pop(IGNORE, None)
    values = [order.get(str(number), -1) for number in range(len(order))]
    known_all = known and all(0 <= n < len(known.classes) for n in values)
    return values if known_all and values != [*range(len(values))] else []


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
    palette = NO_PALETTE
    with suppress(DataError):  # a broken mask is named when it is drawn
        for _, first, _ in pairs.pairs[:1]:
            _, palette = read_values_and_palette(first)
    add_pairs(found, pairs, partial(draw_values, table, len(found.classes), palette))


def add_pairs(found: Source, pairs: Pairs, draw: Callable[..., np.ndarray]) -> None:
    """Add pairs to ``found``; ``draw`` takes the mask's path, then as ``Draw`` does."""
    for image, mask, path in pairs.pairs:
        part, rest = without_part(path)
        drawn = partial(draw, mask)
        if mask in pairs.more:
            drawn = partial(_together, draw, [mask, *pairs.more[mask]])
        found.items.append(Item(output_name(rest), part, ImageFile(image), drawn))
    for file in pairs.images:
        found.leave_out('images without a mask', file)
    for file in pairs.masks:
        found.leave_out('masks without an image', file)


def _together(
    draw: Callable[..., np.ndarray],
    masks: Sequence[Path],
    size: Size,
    notes: Counter[str],
) -> np.ndarray:
    """Draw several masks of one image, each of an object of the one class."""
    drawn = [draw(mask, size, notes) for mask in masks]
    if max(map(np.max, drawn)) > 1:
        raise DataError(
            f"'{masks[0]}' and '{masks[1]}' are of one image, and of more classes than "
            'one: draw them into one mask'
        )
    reason = Noted('masks of further objects of an image, drawn together')
    notes[reason] += len(masks) - 1
    return np.maximum.reduce(drawn)


def parse_map(text: str | None, names: tuple[str, ...]) -> dict[int, int] | None:
    """Turn ``'0:0,255:1,7:ignore'`` into class indices by stored value.

    Args:
        text: pairs of a value, and an index, a name or ``ignore``; None maps nothing.
            Where all are to ignore, other values stay as they are. So does 255.
        names: of the classes.

    Raises:
        ArgumentError: it is no such list.
    """
    if text is None:
        return None
    index_of = {**{name: i for i, name in enumerate(names)}, IGNORE: IGNORED}
    table: dict[int, int] = {}
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
        if table.setdefault(int(stored), int(target or 0)) != target:
            raise ArgumentError(
                f'--map says twice what {stored} is, in {text!r}: say it once'
            )
    if set(table.values()) == {IGNORED}:
        table = {**{i: i for i in range(len(names))}, **table}
    return {IGNORED: IGNORED, **table}


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
        notes[Noted("masks read by their palette, whose order is not the first's")] += 1
        values = _by_colour(mask, values, own, palette)
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


def _by_colour(
    mask: Path, values: np.ndarray, own: np.ndarray, first: np.ndarray
) -> np.ndarray:
    """Return the values that a mask's colours have in the first mask's palette."""
    known: dict[bytes, int] = {}
    for index, colour in enumerate(first):
        known.setdefault(colour.tobytes(), index)
    found = []
    for value, colour in zip(values.tolist(), own[values], strict=True):
        same = value < len(first) and (first[value] == colour).all()
        found.append(value if same else known.get(colour.tobytes(), -1))
    if -1 in found:
        raise DataError(
            f"mask '{mask}' has a palette of other colours than the first mask's, such "
            f'as {own[values[found.index(-1)]].tolist()}: list all with --colours, '
            'which the format colours takes'
        )
    return np.array(found)
