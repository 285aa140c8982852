"""Writing one image and its label map, whole or in tiles."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from ...errors import DataError
from ...files import write_bytes
from ..tiff import turn
from .annotated_images import (
    IGNORED,
    Item,
    Noted,
    OtherSizeError,
    Size,
    check_size,
    naming,
)
from .choose_classes import Choice
from .tiles import Tiling, write_bands


@dataclass
class Written:
    """What was made of one image.

    Attributes:
        files: images with their label maps.
        pixels: of each value of the label maps, int64 (256,).
        notes: what was left out: reason to count.
        cut: whether it was cut into tiles.
        drawn: on a turned image, ``raw`` or ``upright`` where the size tells, ``open``
            where it does not and upright was taken.
    """

    files: list[tuple[Path, Path]] = field(default_factory=list)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    notes: Counter[str] = field(default_factory=Counter)
    cut: bool = False
    drawn: str | None = None


def write_pair(
    item: Item, out: Path, link: bool, choice: Choice, tiling: Tiling | None = None
) -> Written:
    """Draw the label map of ``item`` and place its image beside it.

    Args:
        item: without a split it goes to those for training.
        out: root of the new data set.
        link: to the image, instead of a copy of it.
        choice: the classes.
        tiling: cuts images that are larger.

    Raises:
        DataError: the annotation cannot be drawn.
        ImageError: the image is broken.
        OutputError: a file cannot be written.
    """
    size = item.image.size()
    written = Written()
    labels = _draw(item, size, choice, written)
    part = item.split or 'train'
    places = out / 'images' / part / item.name, out / 'labels' / part / item.name
    if tiling is not None and tiling.cuts(size):
        _write_tiles(item, labels, tiling, places, written)
        return written
    image = _with_end(places[0], item.image.suffix)
    mask = _with_end(places[1], '.png')
    write_label_map(mask, labels)
    item.image.place(image, link)
    written.files.append((image, mask))
    written.pixels += np.bincount(labels.ravel(), minlength=256)
    return written


def _with_end(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _write_tiles(
    item: Item,
    labels: np.ndarray,
    tiling: Tiling,
    places: tuple[Path, Path],
    written: Written,
) -> None:
    written.cut = True
    pixels = item.image.bands()
    if pixels.shape[:2] != labels.shape:
        raise DataError(
            f"'{item.image}' is turned by its tag alone, and cannot be cut: save it as "
            'it is shown'
        )
    for end, window in tiling.windows(labels.shape):
        cut = labels[window]
        if (cut == IGNORED).all():
            written.notes['tiles that are all to ignore'] += 1
            continue
        image = write_bands(_with_end(places[0], end), pixels[window])
        mask = _with_end(places[1], f'{end}.png')
        write_label_map(mask, cut)
        written.files.append((image, mask))
        written.pixels += np.bincount(cut.ravel(), minlength=256)


def turn_alike(
    items: Sequence[Item],
    written: list[Written | None],
    work: Callable[[Item], Written],
) -> None:
    """Write again, as drawn before the turn, what fits both ways and was taken upright.

    Where all of the others were drawn so: half a turn leaves the size as it is.

    Args:
        items: that were written.
        written: what was made of each, which is changed.
        work: writes an item.
    """
    if {one.drawn for one in written if one} - {None} != {'raw', 'open'}:
        return
    for place, (item, one) in enumerate(zip(items, written, strict=True)):
        if one is not None and one.drawn == 'open':
            for file in (file for pair in one.files for file in pair):
                file.unlink()
            written[place] = work(replace(item, raw=True))


def _draw(item: Item, size: Size, choice: Choice, written: Written) -> np.ndarray:
    with naming(f"'{item.image}'"):
        labels = _draw_turned(item, size, choice, written)
    if labels.shape != size:
        raise DataError(
            f"'{item.image}' has {size[1]}x{size[0]} pixels and its label map "
            f'{labels.shape[1]}x{labels.shape[0]}: export both at one size'
        )
    return labels


def _draw_turned(
    item: Item, size: Size, choice: Choice, written: Written
) -> np.ndarray:
    """Draw, and turn the label map where it was drawn on the image before its turn.

    The sizes show that where a tag turns by 90 degrees.
    """
    tag, notes = item.image.orientation(), written.notes
    if tag == 1:
        check_size(item.stated, size)
        return choice.draw(item, size, notes)
    raw = size[::-1] if tag >= 5 else size
    found: Counter[str] = Counter()
    try:
        if not item.upright:
            check_size(item.stated, size)
        if item.raw:
            raise OtherSizeError
        labels = choice.draw(item, size, found)
    except OtherSizeError:
        check_size(item.stated, raw)
        found.clear()
        labels = choice.draw(item, raw, found)
    notes += found
    if item.raw or labels.shape == raw != size:
        written.drawn = 'raw'
        notes[Noted('label maps turned as the orientation tag turns their image')] += 1
        return np.ascontiguousarray(turn(labels, tag))
    written.drawn = 'open' if raw == size and not item.upright else 'upright'
    notes[Noted('images with an orientation tag, labels taken as drawn upright')] += 1
    return labels


def write_label_map(path: Path, labels: np.ndarray) -> None:
    """Write a label map, uint8 (H, W), as PNG; raises OutputError."""
    _, data = cv2.imencode('.png', labels)
    write_bytes(path, data.tobytes())
