"""One item to its two files."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ...errors import DataError, SCTNetError
from ...files import write_bytes
from .annotated_images import Item, Size


@dataclass(frozen=True)
class Written:
    """What the files of one item hold.

    Attributes:
        pixels: of each value of the label map, int64 (256,).
        notes: what was left out of the annotation: reason to count.
    """

    pixels: np.ndarray
    notes: Counter[str]


def image_path(out: Path, item: Item) -> Path:
    """Return where the image of ``item`` goes."""
    return out / 'images' / str(item.split) / f'{item.name}{item.image.suffix}'


def label_path(out: Path, item: Item) -> Path:
    """Return where the label map of ``item`` goes."""
    return out / 'labels' / str(item.split) / f'{item.name}.png'


def write_item(item: Item, out: Path, link: bool) -> Written:
    """Draw the label map of ``item`` and place its image beside it.

    Args:
        item: with its split.
        out: root of the new data set.
        link: to the image, instead of a copy of it.

    Raises:
        DataError: the annotation cannot be drawn.
        ImageError: the image is broken.
        OutputError: a file cannot be written.
    """
    size = item.image.size()
    notes: Counter[str] = Counter()
    labels = _draw(item, size, notes)
    # An image without its label map would stop a training; the reverse does not.
    write_png(label_path(out, item), labels)
    target = image_path(out, item)
    if target.is_symlink():  # of an earlier run: what it leads to is not ours
        target.unlink()
    item.image.place(target, link)
    return Written(np.bincount(labels.ravel(), minlength=256), notes)


def _draw(item: Item, size: Size, notes: Counter[str]) -> np.ndarray:
    try:
        labels = item.drawing.draw(size, notes)
    except SCTNetError as error:
        raise DataError(f"'{item.image}': {error}") from error
    except Exception as error:  # anything may stand in an annotation
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        raise DataError(
            f"'{item.image}': its annotation cannot be drawn ({reason}): export it "
            'again'
        ) from error
    if labels.shape != size:
        raise DataError(
            f"'{item.image}' has {size[1]}x{size[0]} pixels and its label map "
            f'{labels.shape[1]}x{labels.shape[0]}: export both at one size'
        )
    return labels


def write_png(path: Path, labels: np.ndarray) -> None:
    """Write a label map, uint8 (H, W); raises OutputError."""
    _, data = cv2.imencode('.png', labels)
    write_bytes(path, data.tobytes())
