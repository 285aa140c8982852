"""Resize at random and crop, in the other order: only what is kept is resized."""

from typing import Any

import cv2
import mmcv
import numpy as np
from mmcv.transforms import RandomResize
from mmcv.transforms.utils import cache_randomness
from mmseg.registry import TRANSFORMS

Box = tuple[int, int, int, int]  # (top, bottom, left, right)

_TRIES = 10  # mmseg's


@TRANSFORMS.register_module()
class RandomResizeCrop(RandomResize):
    """Does what ``RandomResize`` and ``RandomCrop`` do, and less work for it.

    From the same random numbers come the same crop, the same label map and image values
    within one level of 255. The crop is chosen on the labels; of the image only that
    part is resized.

    Args:
        scale: (width, height) that a ratio of 1 gives, or two of them to draw from.
        crop_size: (height, width) that is kept, or one number for both. A smaller
            image is kept whole.
        ratio_range: smallest and largest factor of ``scale``.
        keep_ratio: whether ``scale`` is the box that an image fits into, rather than
            its size.
        cat_max_ratio: share of the labels that one class may have. Ten times another
            crop is tried.
        ignore_index: label that is no class.
    """

    def __init__(
        self,
        scale: tuple[int, int] | list[tuple[int, int]],
        crop_size: int | tuple[int, int],
        ratio_range: tuple[float, float] | None = None,
        *,
        keep_ratio: bool = False,
        cat_max_ratio: float = 1.0,
        ignore_index: int = 255,
    ) -> None:
        # Here, as Numba compiles or loads the kernel once: the workers inherit it.
        from .resize_part import resize_labels_part, resize_part

        super().__init__(scale, ratio_range, keep_ratio=keep_ratio)
        size = (crop_size, crop_size) if isinstance(crop_size, int) else crop_size
        self.crop_size = (int(size[0]), int(size[1]))
        self.keep_ratio = keep_ratio
        self.cat_max_ratio = cat_max_ratio
        self.ignore_index = ignore_index
        self._resize_part = resize_part
        self._resize_labels = resize_labels_part
        resize_part(np.zeros((2, 2, 3), np.uint8), (8, 8), (0, 2, 0, 2))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize and crop ``img`` and all that ``seg_fields`` names.

        Sets ``scale``, ``scale_factor``, ``keep_ratio`` and ``img_shape`` as mmseg's
        two transforms do.
        """
        image = results['img']
        height, width = image.shape[:2]
        results['scale'] = scale = self._random_scale()
        size = mmcv.rescale_size((width, height), scale) if self.keep_ratio else scale
        box, labels = self._choose_box(results, size)
        for key in results.get('seg_fields', ()):
            if key == 'gt_seg_map' and labels is not None:
                results[key] = labels
            elif results.get(key) is not None:
                results[key] = self._resize_labels(results[key], size, box)
        results['img'] = self._resize_part(image, size, box)
        results['img_shape'] = results['img'].shape[:2]
        results['scale_factor'] = (size[0] / width, size[1] / height)
        results['keep_ratio'] = self.keep_ratio
        return results

    @cache_randomness
    def _choose_box(
        self, results: dict[str, Any], size: tuple[int, int]
    ) -> tuple[Box, np.ndarray | None]:
        """Draw a crop of the image at ``size`` (width, height) as RandomCrop does.

        Returns:
            The crop, and its labels where they were looked at.
        """
        box = self._draw_box(size)
        if self.cat_max_ratio < 1:
            for _ in range(_TRIES):
                labels = self._resize_labels(results['gt_seg_map'], size, box)
                if self._is_mixed(labels):
                    return box, labels
                box = self._draw_box(size)
        return box, None

    def _draw_box(self, size: tuple[int, int]) -> Box:
        (width, height), (crop_height, crop_width) = size, self.crop_size
        top = np.random.randint(0, max(height - crop_height, 0) + 1)
        left = np.random.randint(0, max(width - crop_width, 0) + 1)
        bottom, right = min(top + crop_height, height), min(left + crop_width, width)
        return top, bottom, left, right

    def _is_mixed(self, labels: np.ndarray) -> bool:
        """Whether no class has more than its share of the labels."""
        if labels.dtype == np.uint8:  # in a fiftieth of the time that a sort takes
            counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
            present = np.flatnonzero(counts)
            counts = counts[present].astype(np.int64)
        else:
            present, counts = np.unique(labels, return_counts=True)
        counts = counts[present != self.ignore_index]
        return len(counts) > 1 and counts.max() / counts.sum() < self.cat_max_ratio

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(scale={self.scale}, crop_size={self.crop_size}, '
            f'ratio_range={self.ratio_range}, keep_ratio={self.keep_ratio}, '
            f'cat_max_ratio={self.cat_max_ratio})'
        )
