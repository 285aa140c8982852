"""What is looked at in one image and its label map."""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from ...errors import ImageError
from ..images import TURNED, check_claim, read_header
from ..listing import Pair
from ..statistics import BandSums
from .duplicates import Look
from .faults import Fault
from .loaded_image import LoadedImage, difference_hash, flat_spread, load_image
from .pairs import Part


@dataclass
class Inspection:
    """What one pair holds.

    Attributes:
        size: the image's (width, height); None where it cannot be read.
        look: what tells the image from others.
        sums: over its bands; None where the config does not read them.
        flat: of an image nearly of one value, type and largest value in the file.
        stored: of each byte, how many pixels of the label map hold it, int64 (256,).
        faults: of this pair alone.
    """

    size: tuple[int, int] | None = None
    look: Look | None = None
    sums: BandSums | None = None
    flat: tuple[str, float] | None = None
    stored: np.ndarray | None = None
    faults: list[Fault] = field(default_factory=list)


def inspect_pair(part: Part, pair: Pair) -> Inspection:
    """Decode both files to their last byte, and compare them.

    Args:
        part: the data set that says which labels are classes.
        pair: its files, which exist.
    """
    found = Inspection()

    def fault(kind: str, path: str, detail: str) -> None:
        found.faults.append(Fault(kind, part.name, path, detail))

    try:
        image = load_image(part.reading, pair.image)
        for kind, detail in image.faults:
            fault(kind, pair.image, detail)
        _look_at_image(found, part, pair.image, image)
        del image
    except ImageError as error:
        fault('broken image', pair.image, error.problem)
    if pair.labels is None:
        return found
    try:
        labels = read_labels(pair.labels)
    except ImageError as error:
        fault('broken label map', pair.labels, error.problem)
        return found
    if labels.ndim != 2:
        fault('colour label map', pair.labels, f'{labels.shape[2]} channels')
        return found
    size = (labels.shape[1], labels.shape[0])
    if found.size:
        for kind, detail in _compare(part, pair.image, found.size, size):
            fault(kind, pair.labels, detail)
    if labels.max() > 255 or labels.min() < 0:
        fault('labels outside', pair.labels, f'value {labels.max()}, more than a byte')
        return found
    found.stored = np.bincount(labels.astype(np.uint8).ravel(), minlength=256)
    for kind, detail in _look_at_values(part, found.stored):
        fault(kind, pair.labels, detail)
    return found


def _look_at_image(
    found: Inspection, part: Part, path: str, image: LoadedImage
) -> None:
    """Note what the pixels of an image that the config reads are like."""
    pixels, units = image.pixels, part.reading.units
    if pixels is None:
        return
    found.size = (pixels.shape[1], pixels.shape[0])
    spread = flat_spread(pixels, units)
    # All pictures of one value are equal, which the check says of each.
    digest = (
        hashlib.blake2b(pixels.data, digest_size=16).digest() if spread != 0 else b''
    )
    bits = difference_hash(pixels, units) if spread is None else b''
    found.look = Look(part.name, path, digest, bits)
    if not part.reading.loader:
        return
    found.sums = BandSums.of(pixels[..., ::-1] if part.reading.swaps else pixels)
    if spread is not None:
        found.flat = image.kind, image.largest
        what = f'values lie within {spread:g}' if spread else 'one value alone'
        found.faults.append(Fault('flat image', part.name, path, what))


def _compare(
    part: Part, path: str, size: tuple[int, int], labels: tuple[int, int]
) -> Iterator[tuple[str, str]]:
    """Compare the sizes of an image as it is read and of its label map."""
    stored, tag = read_header(path)
    if labels != size:
        turned = tag >= TURNED and labels == stored
        how = f'tag {tag}; stored ' if turned else ''
        yield 'turned image' if turned else 'size mismatch', how + misfit(size, labels)
    elif tag != 1 and (tag < TURNED or size[0] == size[1]):  # both ways fit
        yield 'perhaps turned', f'tag {tag}'


def misfit(image: tuple[int, ...], labels: tuple[int, ...]) -> str:
    """Return both sizes (width, height) in words."""
    return f'image {image[0]}x{image[1]}, label map {labels[0]}x{labels[1]}'


def read_labels(path: str) -> np.ndarray:
    """Return the stored values (H, W) or (H, W, C); raises ImageError."""
    check_claim(path, f"label map '{path}'")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # size limits: an error would say so
            with Image.open(path) as image:
                image.load()
                return np.array(image)
    except Exception as error:  # Pillow raises SyntaxError and others on damage
        text = str(error).partition('\n')[0].partition('<_io')[0].strip()
        raise ImageError(text or type(error).__name__) from error


def _look_at_values(part: Part, stored: np.ndarray) -> Iterator[tuple[str, str]]:
    seen = part.value_of[np.flatnonzero(stored)]
    outside = part.is_outside(seen)
    if part.classes and outside.any():
        values = np.flatnonzero(stored)[outside]
        share = 100 * stored[values].sum() / stored.sum()
        listed = ', '.join(map(str, values[:5])) + (', ...' if len(values) > 5 else '')
        yield 'labels outside', f'value {listed} in {share:.3g} % of its pixels'
    if np.isin(seen, part.ignored).all():
        yield 'empty label map', 'every pixel is to be ignored'


def outside_mask(part: Part, labels: np.ndarray) -> np.ndarray:
    """Where a label map (H, W) of bytes holds no class and nothing to ignore."""
    return part.is_outside(cv2.LUT(labels.astype(np.uint8), part.value_of))
