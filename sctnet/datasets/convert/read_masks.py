"""Masks on disk: read without loss, or refused."""

from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import DataError

LOSSLESS = ('.png', '.bmp', '.tif', '.tiff', '.gif')


def refuse_lossy(path: Path) -> None:
    """Raise the DataError for a mask whose format changes its colours."""
    raise DataError(
        f"mask '{path}' is a JPEG or WebP, which changes colours at every edge: export "
        'the masks as PNG'
    )


def open_mask(path: Path) -> Image.Image:
    """Open and decode a mask.

    Raises:
        DataError: it is missing, damaged, or of a lossy format whatever its name.
    """
    try:
        with Image.open(path) as opened:
            mask = opened.copy()
            kind, compression = opened.format, opened.info.get('compression')
    except FileNotFoundError as error:
        raise DataError(f"there is no mask '{path}': add it") from error
    except Exception as error:  # Pillow has many for damaged files
        raise DataError(
            f"mask '{path}' cannot be read ({error}): export it again"
        ) from error
    if kind in ('JPEG', 'MPO', 'WEBP') or compression == 'jpeg':
        refuse_lossy(path)
    return mask


def read_indices(path: Path) -> np.ndarray:
    """Read a mask of palette or grey pixels to their indices, uint8 (H, W).

    Raises:
        DataError: the mask is missing, damaged, or in colours.
    """
    mask = open_mask(path)
    if mask.mode not in ('P', 'L', '1'):
        raise DataError(
            f"mask '{path}' has pixels of kind {mask.mode}: expected a palette or grey "
            'values; convert colours with the format "colours"'
        )
    return np.asarray(mask, np.uint8)


def read_colours(path: Path) -> np.ndarray:
    """Read a mask to RGB uint8 (H, W, 3): palettes are looked up, alpha is dropped.

    Raises:
        DataError: the mask is missing, damaged, or has more than 8 bits a channel.
    """
    mask = open_mask(path)
    if mask.mode not in ('P', 'PA', 'L', 'LA', '1', 'RGB', 'RGBA'):
        raise DataError(
            f"mask '{path}' has pixels of kind {mask.mode}: expected RGB or a palette "
            'with 8 bits a channel; export it again'
        )
    return np.asarray(mask.convert('RGB'))
