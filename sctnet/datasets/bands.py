"""Images of any number of bands and any depth, as they are in their files."""

import math
import os

import numpy as np

from ..errors import ImageError
from .images import as_picture, check_sides, read_decoded


def bits_of(largest: float) -> int:
    """Return how many bits integers up to ``largest`` take: 12 of 4095, at least 8."""
    return max(8, math.ceil(math.log2(largest + 1)))


def read_bands(path: str | os.PathLike) -> np.ndarray:
    """Read an image file as (H, W, C), its bands in the file's own order and type.

    Raises:
        ImageError: the file is missing, damaged, or no image of bands.
        PackageError: a TIFF's compression needs ``imagecodecs``.
    """
    return np.ascontiguousarray(read_decoded(path).image)


def check_bands(image: np.ndarray, name: str = 'image array') -> np.ndarray:
    """Return an array of bands (H, W, C), from (H, W) too, as a network can take it.

    Raises:
        ImageError: another shape or type, or smaller than 64x64 pixels.
    """
    if image.ndim == 2:
        image = image[..., None]
    numbers = image.dtype in (np.uint8, np.uint16, np.float32)
    if image.ndim != 3 or not numbers:
        raise ImageError(
            f'{name} has shape {image.shape} and dtype {image.dtype}: expected '
            '(H, W, C) of uint8, uint16 or float32, as the network was trained on'
        )
    return np.ascontiguousarray(check_sides(image, name))


def read_picture(path: str | os.PathLike) -> np.ndarray:
    """Read any image as something to look at, BGR uint8 (H, W, 3).

    What is no picture of 8 bits shows its first three bands, or the first alone, from
    its low values to its high ones.

    Raises:
        ImageError: as :func:`read_bands` does.
    """
    decoded = read_decoded(path)
    image = decoded.image
    if decoded.colours and image.dtype == np.uint8:
        return as_picture(decoded, f"image '{path}'")
    shown = image[..., 2::-1] if image.shape[2] >= 3 else image[..., [0, 0, 0]]
    # A few bright points would leave the rest black.
    low, high = np.nanpercentile(shown[::4, ::4], (1, 99))
    scaled = (shown - low) * (255 / max(high - low, 1e-12))
    return np.ascontiguousarray(np.nan_to_num(scaled).clip(0, 255).astype(np.uint8))
