"""The light segmentation head of SCTNet, used for the main and auxiliary output."""

from typing import Any

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..weights.key_map import HEAD_NAMES, rename_weights
from .layers import NormCfg, build_norm


@MODELS.register_module()
class SCTHead(BaseDecodeHead):
    """norm, ReLU, conv3x3, norm, ReLU, conv1x1 (the original repository's head).

    Selects one feature map, (N, ``in_channels``, h, w), by ``in_index`` and returns
    logits (N, ``num_classes``, h, w). Convolutions keep PyTorch's default
    initialisation, also the classifier, as the published results were trained.

    Args:
        in_channels: channels of the selected feature map.
        channels: width between the two convolutions.
        num_classes: K.
        norm_cfg: both norms; batch norm by default.
        **kwargs: the other arguments of mmseg's ``BaseDecodeHead``.
    """

    original_names = HEAD_NAMES  # which loading brings to ours

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        num_classes: int,
        norm_cfg: NormCfg | None = None,
        dropout_ratio: float = 0.0,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        norm_cfg = {'type': 'BN'} if norm_cfg is None else norm_cfg
        super().__init__(
            in_channels,
            channels,
            num_classes=num_classes,
            norm_cfg=norm_cfg,
            dropout_ratio=dropout_ratio,
            init_cfg=init_cfg,
            **kwargs,
        )
        self.norm1 = build_norm(norm_cfg, in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.norm2 = build_norm(norm_cfg, channels)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Map the backbone's features to logits (N, K, h, w)."""
        x = self._transform_inputs(inputs)
        x = self.conv1(torch.relu(self.norm1(x)))
        return self.cls_seg(torch.relu(self.norm2(x)))

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        rename_weights(state_dict, prefix, HEAD_NAMES)
        super()._load_from_state_dict(state_dict, prefix, *args)
