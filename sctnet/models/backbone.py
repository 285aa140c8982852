"""SCTNet's single-branch backbone (paper, section 3.1 and figure 3 of arXiv v2).

::

    image -- stem -- stage1 -- stage2 -+-- stage3 -- cfblock3 -- downsample4 --+
      1       1/4     1/4       1/8    |    1/16      1/16         1/32      |
                                       |                                 cfblock4_1
                                       |                                    1/32
            fused <-- concat <---------+-- upsample <-- dappm <-- cfblock4_2 |
             1/8                                        1/32         1/32
"""

from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..datasets.images import MIN_SIZE
from ..errors import ImageError
from ..weights.key_map import BACKBONE_NAMES, rename_weights
from .cf_block import CFBlock
from .dappm import DAPPM
from .layers import NormCfg, ResidualBlock, build_norm
from .loading import WholeLoading


class SCTNetFeatures(NamedTuple):
    """What the backbone returns; c is its number of base channels."""

    detail: Tensor  # (N, 2c, H/8, W/8), stage 2 before its ReLU
    stage3: Tensor  # (N, 4c, H/16, W/16), after its CFBlock
    stage4: Tensor  # (N, 8c, H/32, W/32), after both CFBlocks, before the ReLU
    fused: Tensor  # (N, 4c, H/8, W/8), detail beside the upsampled context


@MODELS.register_module()
class SCTNet(WholeLoading, BaseModule):
    """Single-branch convolutional backbone with transformer-like blocks.

    Heads select from :class:`SCTNetFeatures` by index: ``detail`` is 0, ``fused`` 3.
    Sizes that are not multiples of 32 round up at each stride. Convolutions keep
    PyTorch's default initialisation, as the published results were trained.

    Args:
        base_channels: c; 32 for SCTNet-S, 64 for SCTNet-B.
        dappm_channels: width of DAPPM's scales; 64 for S, 128 for B.
        num_heads: heads of the convolutional attention.
        num_keys: learnable keys of each attention branch.
        drop_path_rate: stochastic depth of the CFBlocks.
        norm_cfg: every norm layer, for example ``dict(type='SyncBN')``.
        init_cfg: mmengine's; ``dict(type='Pretrained', checkpoint=FILE)`` takes the
            original's pre-trained files, released checkpoints and our own.
    """

    original_names = BACKBONE_NAMES  # which loading brings to ours

    def __init__(
        self,
        base_channels: int = 64,
        dappm_channels: int = 128,
        num_heads: int = 8,
        num_keys: int = 64,
        drop_path_rate: float = 0.1,
        norm_cfg: NormCfg | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        norm_cfg = {'type': 'BN'} if norm_cfg is None else norm_cfg
        c = base_channels
        self.base_channels = c
        self.stem = nn.Sequential(
            nn.Conv2d(3, c, 3, stride=2, padding=1),
            build_norm(norm_cfg, c),
            nn.ReLU(inplace=True),
            nn.Conv2d(c, c, 3, stride=2, padding=1),
            build_norm(norm_cfg, c),
            nn.ReLU(inplace=True),
        )
        self.stage1 = _residual_stage(c, c, norm_cfg, stride=1)
        self.stage2 = _residual_stage(c, 2 * c, norm_cfg, stride=2)
        self.stage3 = _residual_stage(2 * c, 4 * c, norm_cfg, stride=2)
        self.downsample4 = nn.Sequential(
            nn.Conv2d(4 * c, 8 * c, 3, stride=2, padding=1),
            build_norm(norm_cfg, 8 * c),
            nn.ReLU(inplace=True),
        )
        block = (norm_cfg, num_heads, num_keys, drop_path_rate)
        self.cfblock3 = CFBlock(4 * c, *block)
        self.cfblock4_1 = CFBlock(8 * c, *block)
        self.cfblock4_2 = CFBlock(8 * c, *block)
        self.dappm = DAPPM(8 * c, dappm_channels, 2 * c, norm_cfg)

    def forward(self, x: Tensor) -> SCTNetFeatures:
        """Compute the features of an image batch (N, 3, H, W).

        Raises:
            ImageError: H or W is below 64.
        """
        if min(x.shape[-2:]) < MIN_SIZE:
            raise ImageError(
                f'SCTNet needs inputs of at least {MIN_SIZE}x{MIN_SIZE} pixels but got '
                f'{x.shape[-1]}x{x.shape[-2]} (width x height): crop it to a '
                "less extreme shape or raise the test pipeline's Resize scale"
            )
        detail = self.stage2(F.relu(self.stage1(self.stem(x))))
        stage3 = self.cfblock3(F.relu(self.stage3(F.relu(detail))))
        x = self.cfblock4_1(self.downsample4(stage3))
        stage4 = self.cfblock4_2(F.relu(x))
        context = F.interpolate(
            self.dappm(stage4),
            detail.shape[-2:],
            mode='bilinear',
            align_corners=False,
        )
        fused = torch.cat([detail, context], dim=1)
        return SCTNetFeatures(detail, stage3, stage4, fused)

    def adapt_weights(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        """Rename, and reduce a whole model's weights to its backbone's."""
        if not prefix:
            _keep_backbone(state_dict)
        rename_weights(state_dict, prefix, BACKBONE_NAMES)


def _keep_backbone(state_dict: dict[str, Tensor]) -> None:
    """Reduce a whole model's weights, in place, to its backbone's, without prefix."""
    if not any(key.startswith('backbone.') for key in state_dict):
        return
    for key in list(state_dict):
        weight = state_dict.pop(key)
        if key.startswith('backbone.'):
            state_dict[key.removeprefix('backbone.')] = weight


def _residual_stage(
    in_channels: int, channels: int, norm_cfg: NormCfg, stride: int
) -> nn.Sequential:
    """Two residual blocks, the last of which ends before its ReLU."""
    return nn.Sequential(
        ResidualBlock(in_channels, channels, norm_cfg, stride),
        ResidualBlock(channels, channels, norm_cfg, end_relu=False),
    )
