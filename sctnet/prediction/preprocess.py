"""From a decoded image to the network's input: mmseg's numbers, fewer copies."""

import copy
import os
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose
from mmseg.models import SegDataPreProcessor
from mmseg.registry import TRANSFORMS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..compat.config_types import kind_of
from ..datasets.bands import check_bands
from ..datasets.from_config import image_loader
from ..datasets.images import amount, read_image, to_bgr
from ..errors import ImageError


class ImagePreprocessor:
    """Runs a test pipeline and a data preprocessor on one image after another.

    The pipeline's own steps (``Resize`` and so on) run as they are. The last ones, to
    change BGR to RGB, convert to float, normalise and transpose, become one look-up
    (there are 256 values a channel) and one copy; the result is bit-equal.

    Args:
        test_pipeline: the config's; file loading and annotations are left out.
        data_preprocessor: the model's. Anything but a plain ``SegDataPreProcessor``
            without padding is called as it is.
    """

    def __init__(
        self, test_pipeline: Sequence[dict[str, Any]], data_preprocessor: nn.Module
    ) -> None:
        steps = array_pipeline(test_pipeline)
        self.data_preprocessor = data_preprocessor
        self._table, self._swap, self._device = None, False, torch.device('cpu')
        packed = bool(steps) and kind_of(steps[-1]) == 'PackSegInputs'
        if packed:
            self._table = value_table(data_preprocessor)
        if self._table is not None:
            self._swap = swaps(data_preprocessor)
            self._device = data_preprocessor.get_buffer('mean').device
        # By mmseg's registry: the default scope may be another library's.
        transforms = [TRANSFORMS.build(step) for step in steps]
        self._steps = Compose(transforms[:-1] if packed else transforms)
        self._pack = Compose(transforms[-1:] if packed else [])

    def __call__(self, image: np.ndarray) -> tuple[Tensor, SegDataSample]:
        """Return the input (1, C, H, W) of an image and a sample to fill.

        The image is BGR uint8 (H, W, 3); where the pipeline reads bands, (H, W, C) as
        ``LoadBands`` gives it. The sample's metainfo says how large the image is and
        how the input was made of it, as mmseg's does.

        Raises:
            ImageError: it has another number of bands than the network takes.
        """
        self._check_bands(image)
        data = self._steps({'img': image})
        bgr = data.get('img')
        table = self._table if bgr.dtype == np.uint8 and bgr.ndim == 3 else None
        if table is None or len(table) != bgr.shape[2]:
            data = self._pack(data)
            batch = {'inputs': [data['inputs']], 'data_samples': [data['data_samples']]}
            batch = self.data_preprocessor(batch, False)
            return batch['inputs'], batch['data_samples'][0]
        (packing,) = self._pack.transforms
        meta = {key: data[key] for key in packing.meta_keys if key in data}
        inputs = _look_up(bgr, table, self._swap)
        return inputs.to(self._device, non_blocking=True), SegDataSample(metainfo=meta)

    def _check_bands(self, image: np.ndarray) -> None:
        mean = getattr(self.data_preprocessor, 'mean', None)
        bands = image.shape[2] if image.ndim == 3 else 1
        if isinstance(mean, Tensor) and mean.numel() not in (1, bands):
            raise ImageError(
                f'an image has {amount(bands, "band")} and the network takes '
                f'{mean.numel()}: give it all of them, in the order of the training '
                '(docs/bands.md)'
            )


def array_pipeline(test_pipeline: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``test_pipeline`` for decoded arrays: no files, no labels."""
    steps = []
    for step in copy.deepcopy(list(test_pipeline)):
        kind = kind_of(step)
        if kind in ('LoadImageFromFile', 'LoadBands'):
            step = {'type': 'LoadImageFromNDArray'}
        if kind != 'LoadAnnotations':
            steps.append(step)
    return steps


def reads_bands(test_pipeline: Sequence[dict[str, Any]] | None) -> bool:
    """Whether images come as they are in their files, by ``LoadBands``."""
    return kind_of(image_loader(test_pipeline)) == 'LoadBands'


def image_reader(
    test_pipeline: Sequence[dict[str, Any]],
) -> Callable[[str | os.PathLike | np.ndarray], np.ndarray]:
    """Return what makes of a path or an array what the preprocessor takes.

    It reads as the pipeline does: by ``LoadBands``, or pictures. It raises ImageError
    for what is neither, or smaller than 64x64 pixels.
    """
    bands = reads_bands(test_pipeline)
    load = TRANSFORMS.build({**image_loader(test_pipeline)}) if bands else None

    def read(image: str | os.PathLike | np.ndarray) -> np.ndarray:
        if isinstance(image, np.ndarray):
            return check_bands(image) if load else to_bgr(image)
        if not isinstance(image, str | os.PathLike):
            raise ImageError(
                f'cannot segment a {type(image).__name__}: expected a path, an array '
                'of an image, or a list of them'
            )
        if load is None:
            return read_image(image)
        return check_bands(load({'img_path': image})['img'], f"image '{image}'")

    return read


def value_table(preprocessor: nn.Module) -> np.ndarray | None:
    """Normalised value of each byte in each channel, (C, 256); None if it pads."""
    kind = type(preprocessor)
    like_mmseg = vars(kind).get('normalises_like_mmseg', kind is SegDataPreProcessor)
    if not like_mmseg or preprocessor.test_cfg:
        return None
    if not preprocessor._enable_normalize:
        return None
    values = torch.arange(256, dtype=torch.float32)
    mean, std = (preprocessor.get_buffer(x).cpu().view(-1, 1) for x in ('mean', 'std'))
    return ((values - mean) / std).numpy()


def swaps(preprocessor: nn.Module) -> bool:
    """Whether it reverses the order of an image's bands: of three, by mmseg's rule."""
    three = preprocessor.get_buffer('mean').numel() == 3
    return bool(preprocessor.channel_conversion) and three


def _look_up(image: np.ndarray, table: np.ndarray, swap: bool) -> Tensor:
    """Map uint8 (H, W, C) to float32 (1, C, H, W), the channels in reverse if asked."""
    inputs = np.empty((1, len(table), *image.shape[:2]), np.float32)
    planes = cv2.split(image)
    for channel, plane in enumerate(reversed(planes) if swap else planes):
        cv2.LUT(plane, table[channel], inputs[0, channel])
    return torch.from_numpy(inputs)
