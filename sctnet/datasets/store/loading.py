"""The first two transforms of a pipeline that reads a store instead of image files."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ..label_values import label_values
from .index import Store, describe, open_store


class _FromStore(BaseTransform):
    """What both have in common.

    Args:
        folder: of the store, see ``sctnet prepare store``.
        root: the ``data_root`` of the data set.
        reads_as: the transform in whose place this one is, which made the store.

    Raises:
        DataError: there is no store, or its index cannot be read.
    """

    reads_as = ''

    def __init__(
        self,
        folder: str,
        root: str | None,
        reads_as: Mapping[str, Any] | None = None,
    ) -> None:
        self.store: Store = open_store(str(folder))
        self.root = root
        self.reader = describe(reads_as or {'type': self.reads_as})

    def _read(self, path: str) -> np.ndarray:
        return self.store.read(path, self.root, self.reader)

    def __repr__(self) -> str:
        folder = str(self.store.folder)
        return f'{type(self).__name__}(folder={folder!r}, root={self.root!r})'


@TRANSFORMS.register_module()
class LoadImageFromStore(_FromStore):
    """Takes the place of ``LoadImageFromFile``: the same pixels, without decoding.

    Of the image what later transforms use is read from the disk: with
    ``RandomResizeCrop`` a crop.
    """

    reads_as = 'LoadImageFromFile'

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Set ``img``, ``img_shape`` and ``ori_shape`` of the file ``img_path``."""
        results['img'] = image = self._read(results['img_path'])
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadAnnotationsFromStore(_FromStore):
    """Takes the place of mmseg's ``LoadAnnotations``: the same labels.

    The data set's ``reduce_zero_label`` and chosen classes are applied as mmseg does.
    """

    reads_as = 'LoadAnnotations'

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Set ``gt_seg_map``, uint8 (H, W), of the file ``seg_map_path``."""
        labels = self._read(results['seg_map_path'])
        reduced, classes = results['reduce_zero_label'], results.get('label_map')
        if reduced or classes:
            labels = cv2.LUT(labels, label_values(reduced, classes))
        results['gt_seg_map'] = labels
        results['seg_fields'].append('gt_seg_map')
        return results
