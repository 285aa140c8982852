"""Pipeline steps for images of any number of bands and any depth.

Labels, crops, flips and resizes are mmseg's own, which take such images as they are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmseg.datasets.transforms import PhotoMetricDistortion
from mmseg.registry import TRANSFORMS

from ...errors import ConfigError, ImageError
from ..bands import read_bands
from ..images import read_image


@TRANSFORMS.register_module()
class LoadBands(BaseTransform):
    """Loads an image with all of its bands, of 8 or 16 bits or floats.

    In the place of ``LoadImageFromFile``. The bands come in the file's own order, R, G,
    B of a picture, so that the data preprocessor must not swap them
    (``bgr_to_rgb=False``).

    Args:
        bands: which of the file's bands to take, from 0, in the order in which the
            network shall see them; None takes all.
    """

    def __init__(self, bands: Sequence[int] | None = None) -> None:
        whole = bands is None or (
            len(bands) > 0 and all(type(b) is int and b >= 0 for b in bands)
        )
        if not whole:
            raise ConfigError(
                f"LoadBands' bands is {bands!r}: set it to numbers from 0 up, such as "
                '(0, 1, 2, 3), or to None for all'
            )
        self.bands = None if bands is None else list(bands)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img`` (H, W, C), ``img_shape`` and ``ori_shape``.

        Raises:
            ImageError: the file cannot be read, or has fewer bands.
        """
        image = read_bands(results['img_path'])
        if self.bands is not None:
            if max(self.bands) >= image.shape[2]:
                raise ImageError(
                    f"image '{results['img_path']}' has {image.shape[2]} bands and "
                    f'LoadBands takes number {max(self.bands)} (they begin at 0): '
                    'correct bands, or export the image with all of them'
                )
            image = np.ascontiguousarray(image[..., self.bands])
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


class LoadPicture(LoadImageFromFile):
    """mmcv's ``LoadImageFromFile``, by the function that inference reads with.

    So that training and test see the same numbers as inference of every file: mmcv's
    multiplies the colours of some TIFFs by their alpha band, and reads one band of
    others.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img`` (H, W, 3), BGR uint8, ``img_shape`` and ``ori_shape``.

        Raises:
            ImageError: the file cannot be read, or is no picture of colours.
        """
        if '://' in str(results['img_path']):  # elsewhere than on this disk
            return super().transform(results)
        results['img'] = image = read_image(results['img_path'], smallest=1)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


def read_alike(steps: list[Any]) -> bool:
    """Put :class:`LoadPicture` in the place of a plain ``LoadImageFromFile``.

    Returns:
        Whether one is among ``steps``.
    """
    plain = vars(LoadImageFromFile())
    for place, step in enumerate(steps):
        if type(step) is LoadImageFromFile and vars(step) == plain:
            steps[place] = LoadPicture()
    return any(isinstance(step, LoadPicture) for step in steps)


@TRANSFORMS.register_module()
class PhotometricDistortion(PhotoMetricDistortion):
    """Changes brightness and contrast, and of pictures saturation and hue, at random.

    On 8-bit images of three bands it is mmseg's ``PhotoMetricDistortion``, draw for
    draw. On others it changes brightness and contrast alone, of all bands alike, by the
    range of the data, and keeps their type: mmseg's would cut them off at 255.

    Args:
        max_value: the largest that an image can hold, such as 4095 for 12 bits in
            files of 16; None takes the type's (255, 65535). Other types need it.
        **kwargs: as for mmseg's; ``brightness_delta`` is of a range of 255.

    Raises:
        ConfigError: ``max_value`` is no number above 0.
    """

    def __init__(self, max_value: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_value is not None and (
            isinstance(max_value, bool)
            or not isinstance(max_value, int | float)
            or not max_value > 0
        ):
            raise ConfigError(
                f"PhotometricDistortion's max_value is {max_value!r}: set it to the "
                'largest value of the images, such as 4095, or leave it out'
            )
        self.max_value = max_value

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change ``img``, (H, W), (H, W, C).

        Raises:
            ConfigError: it holds another type than 8 or 16 bits, and ``max_value`` is
                not given.
        """
        image = results['img']
        pictures = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        if pictures and self.max_value in (None, 255):
            return super().transform(results)
        largest = self._largest(image.dtype)
        delta = self.brightness_delta * largest / 255
        if np.random.randint(2):
            image = _scale(image, 1.0, np.random.uniform(-delta, delta), largest)
        if np.random.randint(2):
            contrast = np.random.uniform(self.contrast_lower, self.contrast_upper)
            image = _scale(image, contrast, 0.0, largest)
        results['img'] = image
        return results

    def _largest(self, kind: np.dtype) -> float:
        if self.max_value is not None:
            return self.max_value
        if kind in (np.uint8, np.uint16):
            return float(np.iinfo(kind).max)
        raise ConfigError(
            f'PhotometricDistortion does not know the range of images of {kind}: give '
            'it max_value, the largest value that they hold'
        )


def _scale(
    image: np.ndarray, factor: float, offset: float, largest: float
) -> np.ndarray:
    # float32 holds 16 bits exactly.
    scaled = image.astype(np.float32) * np.float32(factor) + np.float32(offset)
    least = min(0.0, float(image.min()))
    return np.clip(scaled, least, largest).astype(image.dtype)
