"""Cutting images that are too large for a training into tiles, labels with them."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ...errors import ArgumentError
from ...files import write_bytes
from ..images import MIN_SIZE
from .annotated_images import Size


@dataclass(frozen=True)
class Tiling:
    """Which tiles an image is cut into.

    Args:
        side: of a tile, in pixels.
        overlap: of neighbours, at least.

    Raises:
        ArgumentError: one of them is out of range.
    """

    side: int
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.side < MIN_SIZE:
            raise ArgumentError(
                f'--tile is {self.side}: expected {MIN_SIZE} or more, such as 1024'
            )
        if not 0 <= self.overlap < self.side:
            raise ArgumentError(
                f'--overlap is {self.overlap}: expected 0 to below --tile, {self.side}'
            )

    def cuts(self, size: Size) -> bool:
        """Whether an image is larger than a tile in either side."""
        return max(size) > self.side

    def windows(self, size: Size) -> Iterator[tuple[str, tuple[slice, slice]]]:
        """Yield the end of each tile's name, and its rows and columns.

        The last ones of a side are moved inwards, so that all are of full size. A side
        that is shorter than a tile stays whole.
        """
        height, width = size
        for top in self._starts(height):
            for left in self._starts(width):
                rows = slice(top, min(top + self.side, height))
                columns = slice(left, min(left + self.side, width))
                yield f'_x{left:04}_y{top:04}', (rows, columns)

    def _starts(self, length: int) -> list[int]:
        last = max(0, length - self.side)
        return [*range(0, last, self.side - self.overlap), last]


def write_bands(path: Path, image: np.ndarray) -> Path:
    """Write bands (H, W, C) as they are; returns the file, with its suffix added.

    8 and 16 bits of 1, 3 or 4 bands become a PNG, all else a TIFF. What the original
    says besides, such as a place on the map, is not in it.

    Args:
        path: without suffix.
        image: bands in the order R, G, B, ...

    Raises:
        OutputError: the file cannot be written.
    """
    bands = image.shape[2]
    suffix = '.tif' if image.dtype == np.float32 else '.png'
    if bands in ((1, 3) if suffix == '.tif' else (1, 3, 4)):
        order = [2, 1, 0, 3][:bands] if bands > 1 else [0]
        _, data = cv2.imencode(suffix, np.ascontiguousarray(image[..., order]))
        content = data.tobytes()
    else:
        content, suffix = _tiff(image), '.tif'
    file = path.with_name(path.name + suffix)
    write_bytes(file, content)
    return file


def _tiff(image: np.ndarray) -> bytes:
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, photometric='minisblack', planarconfig='contig')
    return buffer.getvalue()
