"""Writing one image and its label map."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from ...errors import DataError
from ...files import write_bytes
from ..images import turn_upright
from .annotated_images import Item, OtherSizeError, Size, check_size, naming


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
    with naming(f"'{item.image}'"):
        labels = _draw_turned(item, size, notes)
    if labels.shape != size:
        raise DataError(
            f"'{item.image}' has {size[1]}x{size[0]} pixels and its label map "
            f'{labels.shape[1]}x{labels.shape[0]}: export both at one size'
        )
    return labels


def _draw_turned(item: Item, size: Size, notes: Counter[str]) -> np.ndarray:
    """Draw, and turn the label map where it was drawn on the image before its turn.

    The sizes show that where a tag turns by 90 degrees.
    """
    tag = item.image.orientation()
    if tag == 1:
        check_size(item.stated, size)
        return item.draw(size, notes)
    raw = size[::-1] if tag >= 5 else size
    found: Counter[str] = Counter()
    try:
        if not item.upright:
            check_size(item.stated, size)
        labels = item.draw(size, found)
    except OtherSizeError:
        check_size(item.stated, raw)
        found.clear()
        labels = item.draw(raw, found)
    notes += found
    if labels.shape == raw != size:
        notes['label maps turned as the orientation tag turns their image'] += 1
        return turn_upright(labels, tag)
    notes['images with an orientation tag, labels taken as drawn upright'] += 1
    return labels


def write_label_map(path: Path, labels: np.ndarray) -> None:
    """Write a label map, uint8 (H, W), as PNG; raises OutputError."""
    _, data = cv2.imencode('.png', labels)
    write_bytes(path, data.tobytes())
