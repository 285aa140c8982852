"""TIFFs as cameras and GIS programs write them: any bands, 8 or 16 bits or floats."""

import io
import logging
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..errors import ImageError, PackageError

MAX_PIXELS = 2**27  # 16384x8192; decoded, 400 MB
MAX_BANDS = 512  # that OpenCV resizes
_TYPES = ('uint8', 'uint16', 'float32')
_WHITE, _GREY, _RGB = 0, 1, 2  # photometric: what the numbers mean
_REDUCED, _MASK = 1, 4  # pages that belong to another one
_ALPHA, _PLAIN = ((1,), (2,)), 2  # among the kinds of a further band


class Decoded(NamedTuple):
    """An image as it is in its file.

    Attributes:
        image: (H, W, C) in the file's order, R, G, B of colours; turned as its
            orientation tag says.
        colours: how many of the bands are a picture's: 3, 1 of grey, 0 of other bands.
        alpha: whether the last band says how opaque a pixel is. Colours are never
            multiplied by it.
    """

    image: np.ndarray
    colours: int
    alpha: bool


def is_tiff(data: bytes) -> bool:
    """Whether a file's content is a TIFF or a BigTIFF."""
    return data[:4] in (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')


def decode_tiff(data: bytes, name: str) -> Decoded:
    """Decode a TIFF of one image.

    Numbers of 8 and 16 bits and float32 come as they are, other ones as float32.

    Args:
        data: the file's content.
        name: what errors call it.

    Raises:
        ImageError: it is damaged, too large, or holds several images.
        PackageError: it is compressed so that ``imagecodecs`` is needed.
    """
    import tifffile

    # Of damaged tags it tells the log, beside what it raises.
    logging.getLogger('tifffile').setLevel(logging.CRITICAL)
    try:
        pages: list[Any] = list(tifffile.TiffFile(io.BytesIO(data)).pages)
        page = pages[0]
        several = sum(not p.subfiletype & (_REDUCED | _MASK) for p in pages)
        several = max(several, int(page.imagedepth))
        ends = map(sum, zip(page.dataoffsets, page.databytecounts, strict=True))
        cut = max(ends, default=0) > len(data)
        pixels = int(page.imagewidth) * int(page.imagelength)
        bands = int(page.samplesperpixel)
    except Exception as error:  # it raises what a damaged file happens to raise
        raise damaged(name, error) from error
    if pixels > MAX_PIXELS:
        raise too_large(name)
    if not 0 < bands <= MAX_BANDS:
        raise damaged(name, f'{bands} bands')
    if several > 1:
        problem = f'holds {several} images'
        raise ImageError(
            f'{name} {problem}: expected one, of any number of bands; export each '
            'alone, or bands as samples of one image (tifffile: planarconfig="contig")',
            problem,
        )
    if cut or not pixels:
        raise damaged(name, 'cut off')
    plain = page.photometric in (_GREY, _RGB) and page.bitspersample in (8, 16, 32, 64)
    if not plain:  # a palette, single bits, a JPEG's colours: OpenCV makes R, G, B
        return _by_others(data, name, page, '')
    try:
        image = page.asarray()
        if page.axes == 'SYX':  # one plane after another
            image = image.transpose(1, 2, 0)
        image = image.reshape(page.imagelength, page.imagewidth, bands)
        orientation = int(page.tags.valueof('Orientation', 1))
    except Exception as error:
        if 'imagecodecs' in str(error):
            return _by_others(data, name, page, str(error))
        raise damaged(name, error) from error
    return _decoded(turn(image, orientation), page)


def _decoded(image: np.ndarray, page: Any) -> Decoded:
    if str(image.dtype) not in _TYPES:
        image = image.astype(np.float32)
    bands, extra = image.shape[2], page.extrasamples
    colours = 1 if page.photometric in (_WHITE, _GREY) else 3
    alpha = bands > colours and extra[-1:] in _ALPHA
    # A band that is called neither grey, a colour nor alpha is one of its own.
    colours = colours if bands == colours + alpha else 0
    return Decoded(np.ascontiguousarray(image), colours, alpha)


def _by_others(data: bytes, name: str, page: Any, why: str) -> Decoded:
    """Decode by libtiff, in Pillow or OpenCV, of which each reads some kinds rightly.

    Args:
        data: the file's content.
        name: what errors call it.
        page: its first page.
        why: what tifffile needs; '' where it would give no colours.
    """
    bands = page.samplesperpixel
    contiguous = page.planarconfig == 1 or (bands == 3 and page.dtype == np.uint8)
    readable = bands == 1 or (page.photometric != _GREY and bands <= 4 and contiguous)
    if not readable:
        raise PackageError(
            f'{name} is compressed ({why or page.compression!s}): pip install '
            "'sctnet[tiff]', or export it without compression"
        )
    try:
        # OpenCV would multiply colours of 8 bits by an alpha that is plain.
        if bands == 4 and page.dtype == np.uint8 and page.extrasamples == (_PLAIN,):
            from PIL import Image

            with Image.open(io.BytesIO(data)) as picture:
                return _decoded(np.array(picture), page)
        flags = cv2.IMREAD_UNCHANGED if why else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
        image: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        image = file_order(image)
        if page.photometric in (_WHITE, _GREY):  # which came in three bands
            image = image[..., :1]
    except Exception as error:  # as above
        raise damaged(name, error) from error
    return _decoded(image, page)


def file_order(image: np.ndarray) -> np.ndarray:
    """Undo OpenCV's order of colours, BGR or BGRA; (H, W) becomes (H, W, 1)."""
    if image.ndim == 2:
        return image[..., None]
    if image.shape[2] == 3:
        return image[..., ::-1]  # a view, which as_picture turns back for nothing
    return image[..., [2, 1, 0, *range(3, image.shape[2])]]


def turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as an orientation tag, 1 to 8, says that it shall be seen."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    down = -1 if orientation in (3, 4, 7, 8) else 1
    along = -1 if orientation in (2, 3, 6, 7) else 1
    return image[::down, ::along]


def damaged(name: str, why: object) -> ImageError:
    """Return the error for a file that cannot be decoded."""
    problem = f'truncated or not an image ({" ".join(str(why).split())})'
    return ImageError(f'{name} is {problem}: copy or export it again', problem)


def too_large(name: str) -> ImageError:
    """Return the error for a file that would fill the memory."""
    problem = f'claims more than {MAX_PIXELS:,} pixels'
    remedy = 'cut it into tiles, or export it again if it is small'
    return ImageError(f'{name} {problem}: {remedy}', problem)
