"""From a JPEG to a batch with as little work as it takes.

A JPEG stores blocks of 8x8 pixels as frequencies. Its decoder can leave out the high
ones and give the image at 1/2, 1/4 or 1/8 of its size in less time. That is done here
whenever what is left still has at least the pixels that the crop is resized to. The
pixels differ a little from those of a full decoding: frequencies are dropped in another
way, and a crop's edges are rounded to whole pixels of the smaller image.
``reduce=False`` decodes in full.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.datasets.transforms import RandomResizedCrop
from mmpretrain.registry import TRANSFORMS
from PIL import Image, UnidentifiedImageError

from sctnet.datasets.images import decode_image
from sctnet.errors import ImageError

FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)  # EXIF's tag, and values that swap the sides


def image_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of an encoded image once decoded; None if unreadable."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION) in TURNED
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None  # the decoder will say what is wrong
    return (width, height) if turned else (height, width)


def reduction(pixels: float, wanted: float) -> int:
    """The largest of 1, 2, 4 and 8 by which ``pixels`` can shrink to ``wanted``."""
    return max(factor for factor in FLAGS if factor == 1 or pixels >= factor * wanted)


def read_bytes(path: str) -> bytes:
    """Return a file's content.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ImageError(
            f"image '{path}' cannot be read ({error.strerror}): check the path"
        ) from error


def _decode(path: str, factor_of: Callable[[int, int], int]) -> tuple[np.ndarray, Any]:
    """Decode, reduced by ``factor_of(height, width)``; also the full size."""
    data = read_bytes(path)
    size = image_size(data)
    factor = 1 if size is None else factor_of(*size)
    image = decode_image(data, f"image '{path}'", FLAGS[factor])
    return image, size or image.shape[:2]


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Decode an image, at a fraction of its size where enough is left.

    Args:
        short_edge: pixels that the shorter side needs.
        reduce: False decodes every image in full.
    """

    def __init__(self, short_edge: int, reduce: bool = True) -> None:
        self.short_edge = short_edge
        self.reduce = reduce

    def transform(self, results: dict) -> dict:
        """Add ``img``, BGR uint8 (H, W, 3), and the sizes.

        Raises:
            ImageError: the file is missing, empty, truncated or no image.
        """
        results['img'], results['ori_shape'] = _decode(
            results['img_path'],
            lambda *size: reduction(min(size), self.short_edge) if self.reduce else 1,
        )
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadRandomCrop(RandomResizedCrop):
    """mmpretrain's ``RandomResizedCrop`` that loads the image as well.

    The crop is drawn from the size in the file's header, so that the image can be
    decoded at the smallest size which that crop needs.

    Args:
        reduce: False decodes every image in full; then the pixels are those of
            ``LoadImageFromFile`` and ``RandomResizedCrop``.
        *args: of ``RandomResizedCrop``.
        **kwargs: of ``RandomResizedCrop``.
    """

    def __init__(self, *args: Any, reduce: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reduce = reduce

    def transform(self, results: dict) -> dict:
        """Add ``img``, BGR uint8 (*scale, 3).

        Raises:
            ImageError: the file is missing, empty, truncated or no image.
        """
        crop: tuple[int, ...] = ()
        out_height, out_width = self.scale

        def factor_of(height: int, width: int) -> int:
            nonlocal crop
            # The method looks at nothing but the shape.
            crop = self.rand_crop_params(np.broadcast_to(np.uint8(0), (height, width)))
            if not self.reduce:
                return 1
            return min(reduction(crop[2], out_height), reduction(crop[3], out_width))

        image, (height, width) = _decode(results['img_path'], factor_of)
        top, left, rows, columns = crop or self.rand_crop_params(image)
        down, across = image.shape[0] / height, image.shape[1] / width
        top, bottom = round(top * down), round((top + rows) * down)
        left, right = round(left * across), round((left + columns) * across)
        image = image[top:bottom, left:right]
        results['img'] = cv2.resize(
            image, (out_width, out_height), interpolation=cv2.INTER_LINEAR
        )
        results['img_shape'] = results['img'].shape[:2]
        return results


@TRANSFORMS.register_module()
class Pack(BaseTransform):
    """Leave what :class:`~.classifier.Preprocessor` needs, cheap to send to it.

    A tensor for each label, as in ``PackInputs``, would be a shared-memory file for
    each image of a batch.
    """

    def transform(self, results: dict) -> dict:
        """Return ``images``, uint8 (H, W, 3), ``labels``, an int, and ``img_path``."""
        return {
            'images': np.ascontiguousarray(results['img']),
            'labels': int(results['gt_label']),
            'img_path': results['img_path'],
        }
