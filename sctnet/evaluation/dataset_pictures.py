"""Draws pairs of a data set: faulty ones beside what is wrong, sound ones overlaid."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..datasets.bands import read_picture
from ..datasets.check.checker import CheckResult
from ..datasets.check.faults import Fault
from ..datasets.check.inspection import outside_mask, read_labels
from ..datasets.check.pairs import Part
from ..datasets.listing import Pair
from ..datasets.overlay import draw_overlay
from ..errors import ImageError

_WIDTH = 480  # pixels of a sample in the page
_MAGENTA = (255, 0, 255)
_DRAWN = (
    'size mismatch', 'turned image', 'labels outside', 'perhaps turned',
    'empty label map', 'colour label map',
)  # fmt: skip


def draw_samples(result: CheckResult, most: int = 12) -> Iterator[tuple[bytes, str]]:
    """Yield up to ``most`` JPEGs of faulty pairs with captions, kinds in turn."""
    parts = {part.name: part for part in result.parts}
    images = {
        pair.labels: pair for part in result.parts for pair in part.pairs if pair.labels
    }
    kinds = [[f for f in result.faults if f.kind == kind] for kind in _DRAWN]
    chosen: list[Fault] = []
    while any(kinds) and len(chosen) < most:
        chosen += [faults.pop(0) for faults in kinds if faults]
    for fault in chosen[:most]:
        picture = draw_pair(parts[fault.part], images[fault.path])
        if picture is not None:
            caption = f'{fault.kind}: {Path(fault.path).name}, {fault.detail}'
            yield cv2.imencode('.jpg', picture)[1].tobytes(), caption


def draw_overlays(result: CheckResult, most: int = 6) -> Iterator[tuple[bytes, str]]:
    """Yield JPEGs of up to ``most`` pairs, evenly spread, labels over their image."""
    pairs = [(part, pair) for part in result.parts for pair in part.pairs]
    pairs = [(part, pair) for part, pair in pairs if pair.labels]
    spread = np.linspace(0, max(0, len(pairs) - 1), min(most, len(pairs)))
    for part, pair in (pairs[int(index)] for index in spread):
        try:
            labels = read_labels(str(pair.labels))
            image = read_picture(pair.image)
        except ImageError:
            continue
        if labels.shape != image.shape[:2]:
            continue
        seen = cv2.LUT(labels.astype(np.uint8), part.value_of)
        drawn = draw_overlay(image, seen, part.palette, opacity=0.6)
        data = cv2.imencode('.jpg', _fit(drawn))[1].tobytes()
        yield data, f'{part.name}: {Path(pair.image).name}'


def draw_pair(part: Part, pair: Pair) -> np.ndarray | None:
    """Draw a pair: the image, and its labels in colours with outside ones magenta.

    Returns:
        BGR uint8 (H, W, 3); None where a file cannot be read.
    """
    assert pair.labels is not None
    try:
        labels = read_labels(pair.labels)
        image = read_picture(pair.image)
    except ImageError:
        return None
    if labels.ndim == 3:
        grey = labels.shape[2] < 3  # and alpha
        colours = labels[..., :1].repeat(3, axis=2) if grey else labels[..., :3]
        drawn = np.ascontiguousarray(colours[..., ::-1].astype(np.uint8))
    else:
        seen = cv2.LUT(labels.astype(np.uint8), part.value_of)
        black = np.zeros((*labels.shape, 3), np.uint8)
        drawn = draw_overlay(black, seen, part.palette, opacity=1.0)
        drawn[outside_mask(part, labels)] = _MAGENTA
    upper, lower = _fit(image), _fit(drawn)
    return np.vstack([upper, np.full((4, _WIDTH, 3), 255, np.uint8), lower])


def _fit(picture: np.ndarray) -> np.ndarray:
    """Scale to the width of a sample; a tall picture to twice that, with a margin."""
    height, width = picture.shape[:2]
    scale = min(_WIDTH / width, 2 * _WIDTH / height)
    size = max(1, round(scale * width)), max(1, round(scale * height))
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    fitted = np.full((size[1], _WIDTH, 3), 255, np.uint8)
    fitted[:, : size[0]] = scaled
    return fitted
