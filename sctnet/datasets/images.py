"""Reading images: the one way in which trainings, tests and inference do it."""

import io
import logging
import os
from pathlib import Path

import cv2
import numpy as np

from ..errors import ImageError
from .tiff import MAX_PIXELS, Decoded, decode_tiff, file_order, is_tiff, too_large, turn

MIN_SIZE = 64
_PIXELS_A_BYTE = 64
_ORIENTATION = 0x0112  # the tag of a camera that was held another way
TURNED = 5  # from this tag on width and height change places
SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp', '.ppm')
LOSSY = ('.jpg', '.jpeg', '.webp')
_said: list[str] = []


def read_decoded(path: str | os.PathLike) -> Decoded:
    """Read an image file as it is: all bands, its bits, no value changed.

    It is turned as its orientation tag says.

    Raises:
        ImageError: the file is missing, empty, truncated or no image.
        PackageError: a TIFF's compression needs ``imagecodecs``.
    """
    name = f"image '{path}'"
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        problem = f'cannot be read ({error.strerror})'
        raise _error(name, problem, 'check the path') from error
    if is_tiff(data):
        return decode_tiff(data, name)
    image = decode_image(data, name, cv2.IMREAD_UNCHANGED)
    bands = 1 if image.ndim == 2 else image.shape[2]
    image = turn(file_order(image), read_header(data)[1])
    return Decoded(image, min(bands, 3), alpha=bands == 4)


def read_image(path: str | os.PathLike, smallest: int = MIN_SIZE) -> np.ndarray:
    """Read a picture as BGR uint8 (H, W, 3), for a pipeline without ``LoadBands``.

    Of what is in the file (:func:`read_decoded`) grey becomes three equal bands, and an
    alpha band is left out. Of 16 bits the upper 8 are taken, which is said once.

    Args:
        path: of the file.
        smallest: side in pixels that it must have; the network takes 64.

    Raises:
        ImageError: as :func:`read_decoded` does; or it is no picture of colours, or
            smaller than ``smallest``.
        PackageError: a TIFF's compression needs ``imagecodecs``.
    """
    name = f"image '{path}'"
    image = as_picture(read_decoded(path), name)
    return check_sides(image, name, smallest)


def as_picture(decoded: Decoded, name: str) -> np.ndarray:
    """Return what :func:`read_image` does of an image that is decoded."""
    image, colours, _ = decoded
    if not colours or image.dtype == np.float32:
        problem = f'has {amount(image.shape[2], "band")} of {image.dtype}'
        remedy = (
            'LoadImageFromFile is for pictures of 8 bits; read it by LoadBands, as in '
            'a config of sctnet new, or export a picture of it'
        )
        raise _error(name, problem, remedy)
    image = _upper_bits(image[..., colours - 1 :: -1], name)
    if colours == 1:
        return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(image)


def amount(count: int, what: str) -> str:
    """Return a number of things in words: ``1 image``, ``2 categories``."""
    several = f'{what[:-1]}ies' if what.endswith('y') else f'{what}s'
    return f'{count} {what if count == 1 else several}'


def _upper_bits(image: np.ndarray, name: str) -> np.ndarray:
    if image.dtype != np.uint16:
        return image
    if not _said:
        from mmengine.logging import print_log

        largest = int(image.max())
        dark = ', so that the picture is nearly black' if largest < 1 << 14 else ''
        _said.append(
            f'{name} has 16 bits, of which LoadImageFromFile takes the upper 8; its '
            f'values end at {largest}{dark}: train with LoadBands, as in a config of '
            'sctnet new'
        )
        print_log(_said[0], 'current', logging.WARNING)
    return (image >> 8).astype(np.uint8)


def decode_image(data: bytes, name: str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Decode an encoded image of any size to BGR uint8 (H, W, 3).

    Args:
        data: the file's content.
        name: what errors call it.
        flags: OpenCV's; ``IMREAD_REDUCED_COLOR_2`` and its kind give fewer pixels.

    Raises:
        ImageError: it is empty, truncated or no image.
    """
    if not data:
        raise _error(name, 'is empty (0 bytes)', 'copy it again')
    size = check_claim(data, name)
    pixels = size[0] * size[1] if size else 0
    # A picture of so many pixels in so few bytes is one colour, or damaged.
    sure = size and looks_complete(data) and pixels <= _PIXELS_A_BYTE * len(data)
    damage = None if sure else _find_damage(data)
    image = None
    # What Pillow cannot open, OpenCV might make room for.
    if size and not damage:
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error as error:  # more pixels than OpenCV takes, for one
            problem = f'cannot be decoded ({error.err or "OpenCV error"})'
            remedy = 'scale it down or export it again'
            raise _error(name, problem, remedy) from error
    if image is None:
        raise _error(
            name,
            f'is truncated or not an image ({damage or "unknown format"})',
            f'expected one of {", ".join(SUFFIXES)}; copy or export it again',
        )
    return image


def _error(name: str, problem: str, remedy: str) -> ImageError:
    return ImageError(f'{name} {problem}: {remedy}', problem.removeprefix('is '))


def check_claim(source: bytes | str, name: str) -> tuple[int, int] | None:
    """Return :func:`claimed_size`; raise ImageError where it would fill the memory.

    A few bytes can claim 32768x32768 pixels, which a decoder would make room for.
    """
    size = claimed_size(source)
    if size and size[0] * size[1] > MAX_PIXELS:
        raise too_large(name)
    return size


def claimed_size(source: bytes | str) -> tuple[int, int] | None:
    """Width and height by a file's header, turned as its orientation tag says.

    Args:
        source: the file's content, or its path.

    Returns:
        None where Pillow cannot tell.
    """
    size, turned = read_header(source)
    return size[::-1] if size and turned >= TURNED else size


def read_header(source: bytes | str) -> tuple[tuple[int, int] | None, int]:
    """Return width and height as stored, None if unknown, and the orientation tag."""
    from PIL import Image

    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(file) as image:
            # Without a tag Pillow would decode a PNG to look for one behind the pixels.
            tagged = 'exif' in image.info or image.format == 'TIFF'
            exif = image.getexif() if tagged else {}
            turned = exif.get(_ORIENTATION, 1)
            # Of a TIFF Pillow has turned the size already.
            size = (exif[256], exif[257]) if image.format == 'TIFF' else image.size
            return size, turned if turned in range(1, 9) else 1
    except Image.DecompressionBombError:
        return (2 * MAX_PIXELS, 1), 1  # more than Pillow opens
    except Exception:
        return None, 1


def looks_complete(data: bytes) -> bool:
    """Whether a JPEG or PNG ends with its end marker.

    OpenCV fills the missing part of a truncated file with grey and says nothing.
    """
    tail = data[-64:].rstrip(b'\0')
    return (data[:2] == b'\xff\xd8' and tail.endswith(b'\xff\xd9')) or (
        data[:4] == b'\x89PNG' and b'IEND' in tail
    )


def _find_damage(data: bytes) -> str | None:
    """Decode with Pillow, which reports what is cut off; None where all is well."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except UnidentifiedImageError:
        return 'unknown format'
    except Exception as error:
        return str(error)
    return None


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Bring an array to BGR uint8 (H, W, 3).

    Takes uint8 or uint16 arrays of shape (H, W), (H, W, 1), BGR (H, W, 3) or BGRA
    (H, W, 4).

    Raises:
        ImageError: another type or shape, or smaller than 64x64 pixels.
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            f'image array has dtype {image.dtype}: expected uint8 or uint16 values in '
            'BGR order; convert it with (255 * image).astype("uint8") or alike'
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise ImageError(
            f'image array has shape {image.shape}: expected (H, W), (H, W, 1), '
            '(H, W, 3) or (H, W, 4); pass several images as a list'
        )
    image = _upper_bits(check_sides(image, 'image array'), 'an image array')
    if image.shape[2] == 1:
        image = np.repeat(image, 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def check_sides(image: np.ndarray, name: str, smallest: int = MIN_SIZE) -> np.ndarray:
    """Return an image; raise ImageError for one whose sides are below ``smallest``."""
    height, width = image.shape[:2]
    if min(height, width) < smallest:
        raise ImageError(
            f'{name} is {width}x{height} pixels: expected at least '
            f'{smallest}x{smallest}; enlarge it or take a larger one'
        )
    return image
