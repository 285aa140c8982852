"""CamVid as SegNet's authors published it, which mmseg has no data set for."""

from collections.abc import Sequence
from typing import Any, ClassVar

from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """Frames of 480x360 from a car, with 11 classes.

    Pairs ``train/a.png`` with ``trainannot/a.png``. Label 11, "unlabelled", counts
    nothing.

    Args:
        img_suffix: of images.
        seg_map_suffix: of label maps.
        **kwargs: as for mmseg's ``BaseSegDataset``.
    """

    METAINFO: ClassVar[dict] = {
        'classes': (
            *('sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign symbol'),
            *('fence', 'car', 'pedestrian', 'bicyclist'),
        ),
        'palette': [
            *([128, 128, 128], [128, 0, 0], [192, 192, 128], [128, 64, 128]),
            *([60, 40, 222], [128, 128, 0], [192, 128, 128], [64, 64, 128]),
            *([64, 0, 128], [64, 64, 0], [0, 128, 192]),
        ],
    }

    def __init__(
        self, img_suffix: str = '.png', seg_map_suffix: str = '.png', **kwargs: Any
    ) -> None:
        super().__init__(img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    @classmethod
    def get_label_map(cls, new_classes: Sequence[str] | None = None) -> dict[int, int]:
        """Return what becomes of the labels: 11, and the classes not taken, 255."""
        chosen = super().get_label_map(new_classes) or {}
        return {**chosen, len(cls.METAINFO['classes']): 255}
