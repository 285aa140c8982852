"""The classifier around the backbone.

::

    image -- SCTNet -+- stage4 -- norm, ReLU, mean --+-- concat -- linear -- classes
                     +- fused --- norm, ReLU, mean --+    12c
"""

from typing import Any

import torch
from mmengine.model import BaseModule
from mmpretrain.models import ClsDataPreprocessor, ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.nn import functional as F

from sctnet.models.backbone import SCTNetFeatures
from sctnet.weights.fit import check_weights


@MODELS.register_module()
class FeaturePooling(BaseModule):
    """Global averages of the backbone's last stage and of its fused output.

    ``stage4`` (1/32) is where a classifier would end. ``fused`` is there because it
    alone passes gradients to DAPPM, and what ``init_cfg`` takes must be trained
    throughout. Both end before a norm, which comes first here.

    Args:
        base_channels: c of the backbone.
    """

    def __init__(self, base_channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(times * base_channels) for times in (8, 4)
        )

    def forward(self, features: SCTNetFeatures) -> tuple[Tensor]:
        """Map the backbone's features to one tensor (N, 12c)."""
        maps = (features.stage4, features.fused)
        pooled = [
            F.relu(norm(x)).mean((2, 3))
            for norm, x in zip(self.norms, maps, strict=True)
        ]
        return (torch.cat(pooled, dim=1),)


@MODELS.register_module()
class Preprocessor(ClsDataPreprocessor):
    """mmpretrain's, for the batches that :class:`~.loading.Pack` makes.

    Their images are uint8 (N, H, W, 3), which is torch's channels-last layout without
    a copy, and their labels are one tensor (N,).
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return normalised images (N, 3, H, W) and a ``DataSample`` for each."""
        labels = self.cast_data(data['labels'])
        samples = [
            DataSample(metainfo={'img_path': path}).set_gt_label(label[None])
            for path, label in zip(data['img_path'], labels, strict=True)
        ]
        images = data['images'].permute(0, 3, 1, 2)
        return super().forward({'inputs': images, 'data_samples': samples}, training)


@MODELS.register_module()
class SCTClassifier(ImageClassifier):
    """mmpretrain's classifier in torch's channels-last layout.

    Args:
        channels_last: keep convolution weights in that layout; the same numbers up to
            rounding, and faster convolutions.
        **kwargs: of ``ImageClassifier``.
    """

    def __init__(self, channels_last: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if channels_last:
            self.to(memory_format=torch.channels_last)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        # mmengine would resume from another network's checkpoint with a warning.
        if not prefix:
            check_weights(self.state_dict(), state_dict)
        super()._load_from_state_dict(state_dict, prefix, *args)
