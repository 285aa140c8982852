"""Images of any number of bands and any depth, as they are in their files."""

import io
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import ImageError, PackageError
from .images import MIN_SIZE, decode_image, read_image

_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
_BANDS, _PHOTOMETRIC, _PLANAR = 277, 262, 284  # tags of a TIFF


def read_bands(path: str | os.PathLike) -> np.ndarray:
    """Decode an image file to (H, W, C), its bands in the file's own order and type.

    PNG and TIFF of 8 or 16 bits, TIFF of floats. A TIFF with bands that are no colours
    needs the package ``tifffile``. No orientation tag is applied.

    Raises:
        ImageError: the file is missing, damaged, or no image of bands.
        PackageError: ``tifffile`` is needed and not installed.
    """
    file, name = Path(path), f"image '{path}'"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ImageError(
            f'{name} cannot be read ({error.strerror}): check the path',
            f'cannot be read ({error.strerror})',
        ) from error
    if data[:4] in _TIFF:
        return _read_tiff(data, name)
    return _file_order(decode_image(data, name, cv2.IMREAD_UNCHANGED))


def check_bands(image: np.ndarray) -> np.ndarray:
    """Return an array of bands (H, W, C), from (H, W) too, as a network can take it.

    Raises:
        ImageError: another shape or type, or smaller than 64x64 pixels.
    """
    if image.ndim == 2:
        image = image[..., None]
    numbers = image.dtype in (np.uint8, np.uint16, np.float32)
    if image.ndim != 3 or not numbers:
        raise ImageError(
            f'image array has shape {image.shape} and dtype {image.dtype}: expected '
            '(H, W, C) of uint8, uint16 or float32, as the network was trained on'
        )
    if min(image.shape[:2]) < MIN_SIZE:
        raise ImageError(
            f'image array is {image.shape[1]}x{image.shape[0]} pixels: expected at '
            f'least {MIN_SIZE}x{MIN_SIZE}; enlarge it or take a larger one'
        )
    return np.ascontiguousarray(image)


def read_picture(path: str | os.PathLike, smallest: int = 1) -> np.ndarray:
    """Decode any image to something to look at, BGR uint8 (H, W, 3).

    What is no picture of colours shows its first three bands, or the first alone, from
    its least value to its largest.

    Raises:
        ImageError: as :func:`read_image` does, or :func:`read_bands`.
    """
    try:
        return read_image(path, smallest)
    except ImageError as error:
        try:
            bands = read_bands(path)
        except PackageError as needed:  # it is sound, so that this is no damage
            problem = str(needed).removeprefix(f"image '{path}' ")
            raise ImageError(str(needed), problem) from needed
        except ImageError:
            raise error from None
        if min(bands.shape[:2]) < smallest:
            raise
    shown = bands[..., 2::-1] if bands.shape[2] >= 3 else bands[..., [0, 0, 0]]
    low, high = float(shown.min()), float(shown.max())
    scaled = (shown - low) * (255 / max(high - low, 1e-12))
    return np.ascontiguousarray(scaled.astype(np.uint8))


def _file_order(image: np.ndarray) -> np.ndarray:
    """Undo OpenCV's order of colours, BGR or BGRA; (H, W) becomes (H, W, 1)."""
    if image.ndim == 2:
        return image[..., None]
    order = [2, 1, 0, *range(3, image.shape[2])] if image.shape[2] >= 3 else [0, 1]
    return np.ascontiguousarray(image[..., order])


def _read_tiff(data: bytes, name: str) -> np.ndarray:
    tags = _tags(data, name)
    bands = tags.get(_BANDS, 1)
    colours = tags.get(_PHOTOMETRIC) == 2 and tags.get(_PLANAR, 1) == 1
    # Of other bands OpenCV would read some, and not say so.
    plain = bands == 1 or (colours and bands in (3, 4))
    if plain:
        try:
            return _file_order(decode_image(data, name, cv2.IMREAD_UNCHANGED))
        except ImageError:
            if find_spec('tifffile') is None:
                raise
    try:
        import tifffile
    except ImportError as error:
        raise PackageError(
            f'{name} has {bands} bands that are no colours, which OpenCV does not '
            "read: run 'pip install tifffile'"
        ) from error
    return _read_by_tifffile(tifffile, data, name)


def _read_by_tifffile(tifffile: Any, data: bytes, name: str) -> np.ndarray:
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            image, axes = file.pages[0].asarray(), file.pages[0].axes
    except Exception as error:  # it raises what a damaged file happens to raise
        if 'imagecodecs' in str(error):
            raise PackageError(
                f"{name} is compressed ({error}): run 'pip install imagecodecs'"
            ) from error
        raise _damaged(name, str(error)) from error
    if axes == 'SYX':  # one plane after another
        image, axes = image.transpose(1, 2, 0), 'YXS'
    if axes not in ('YX', 'YXS'):
        raise ImageError(
            f'{name} has the axes {axes}: expected one image of bands; export it so',
            f'has the axes {axes}',
        )
    return np.ascontiguousarray(image.reshape(*image.shape[:2], -1))


def _tags(data: bytes, name: str) -> Any:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    try:
        # A BigTIFF's header is twice as long.
        header = data[: 16 if data[2:3] == b'+' or data[3:4] == b'+' else 8]
        tags = ImageFileDirectory_v2(header)
        file = io.BytesIO(data)
        file.seek(tags.next)
        tags.load(file)
        return dict(tags)
    except Exception as error:
        raise _damaged(name, str(error)) from error


def _damaged(name: str, why: str) -> ImageError:
    problem = f'truncated or not an image ({" ".join(why.split())})'
    return ImageError(f'{name} is {problem}: copy or export it again', problem)
