"""Writing one image and its label map, whole or in tiles."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ...errors import DataError, SCTNetError
from ...files import write_bytes
from .annotated_images import IGNORED, Item, Size
from .choose_classes import Choice
from .tiles import Tiling, write_bands

# What malformed annotations bring about, here or in a library that draws them.
_MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, OSError, MemoryError)


@dataclass
class Written:
    """What was made of one image.

    Attributes:
        files: images with their label maps.
        pixels: of each value of the label maps, int64 (256,).
        notes: what was left out: reason to count.
        cut: whether it was cut into tiles.
    """

    files: list[tuple[Path, Path]] = field(default_factory=list)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    notes: Counter[str] = field(default_factory=Counter)
    cut: bool = False


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
    labels = _draw(item, size, choice, written.notes)
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


def _draw(item: Item, size: Size, choice: Choice, notes: Counter[str]) -> np.ndarray:
    try:
        drawn = item.draw(size, notes)
        if not isinstance(drawn, np.ndarray):
            drawn = choice.of_shapes(drawn, size, notes)
        elif drawn.shape == size:
            drawn = choice.of_pixels(drawn)
    except SCTNetError as error:
        raise DataError(f"'{item.image}': {error}") from error
    except _MALFORMED as error:
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        raise DataError(
            f"'{item.image}': its annotation cannot be drawn ({reason}): export it "
            'again'
        ) from error
    if drawn.shape != size:
        raise DataError(
            f"'{item.image}' has {size[1]}x{size[0]} pixels and its label map "
            f'{drawn.shape[1]}x{drawn.shape[0]}: export both at one size'
        )
    return drawn


def write_label_map(path: Path, labels: np.ndarray) -> None:
    """Write a label map, uint8 (H, W), as PNG; raises OutputError."""
    _, data = cv2.imencode('.png', labels)
    write_bytes(path, data.tobytes())
