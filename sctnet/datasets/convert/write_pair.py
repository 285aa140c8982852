"""Writing one image and its label map."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from ...errors import DataError, SCTNetError
from ...files import write_bytes
from .annotated_images import Item, Size

# What malformed annotations bring about, here or in a library that draws them.
_MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, OSError, MemoryError)


def write_pair(item: Item, out: Path, link: bool) -> tuple[np.ndarray, Counter[str]]:
    """Draw the label map of ``item`` and place its image beside it.

    Args:
        item: with its split.
        out: root of the new data set.
        link: to the image, instead of a copy of it.

    Returns:
        The pixels of each value of the label map, int64 (256,), and what was left out
        of the annotation: reason to count.

    Raises:
        DataError: the annotation cannot be drawn.
        ImageError: the image is broken.
        OutputError: a file cannot be written.
    """
    size = item.image.size()
    notes: Counter[str] = Counter()
    labels = _draw(item, size, notes)
    part = str(item.split)
    write_label_map(out / 'labels' / part / f'{item.name}.png', labels)
    item.image.place(out / 'images' / part / f'{item.name}{item.image.suffix}', link)
    return np.bincount(labels.ravel(), minlength=256), notes


def _draw(item: Item, size: Size, notes: Counter[str]) -> np.ndarray:
    try:
        labels = item.draw(size, notes)
    except SCTNetError as error:
        raise DataError(f"'{item.image}': {error}") from error
    except _MALFORMED as error:
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


def write_label_map(path: Path, labels: np.ndarray) -> None:
    """Write a label map, uint8 (H, W), as PNG; raises OutputError."""
    _, data = cv2.imencode('.png', labels)
    write_bytes(path, data.tobytes())
