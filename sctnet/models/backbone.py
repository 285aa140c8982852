"""SCTNet's single-branch backbone (paper, section 3.1 and figure 3 of arXiv v2).

::

    image -- stem -- stage1 -- stage2 -+-- stage3 -- cfblock3 -- downsample4 --+
      1       1/4     1/4       1/8    |    1/16      1/16         1/32      |
                                       |                                 cfblock4_1
                                       |                                    1/32
            fused <-- concat <---------+-- upsample <-- dappm <-- cfblock4_2 |
             1/8                                        1/32         1/32
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..datasets.images import MIN_SIZE
from ..errors import ConfigError, ImageError
from ..weights.key_map import BACKBONE_NAMES, rename_weights
from .activation_checkpoint import checkpointed
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


# What each number of frozen_stages adds to those before it.
STAGES = (
    ('stem',),
    ('stage1',),
    ('stage2',),
    ('stage3', 'cfblock3'),
    ('downsample4', 'cfblock4_1', 'cfblock4_2'),
    ('dappm',),
)


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
        in_channels: bands of the image.
        frozen_stages: -1 freezes nothing, 0 the stem, 1 also stage 1, 2 also stage 2
            (``detail``), 3 also stage 3 with its CFBlock, 4 also stage 4 with both of
            its CFBlocks, 5 the whole backbone, DAPPM too. Frozen parts are not
            trained and stay in eval mode: their norms keep their statistics.
        norm_eval: keep all batch norms in eval mode; their weights are trained.
        with_cp: keep each part's input alone and compute the part again for its
            gradient: less memory, more time, the same losses and gradients.
        out_indices: which features to return; what only others need is not computed.

    Raises:
        ConfigError: ``frozen_stages`` or ``out_indices`` are out of their range.
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
        *,
        in_channels: int = 3,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        with_cp: bool = False,
        out_indices: Sequence[int] = (0, 1, 2, 3),
    ) -> None:
        super().__init__(init_cfg)
        _check_options(in_channels, frozen_stages, out_indices)
        self.in_channels = in_channels
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.out_indices = tuple(out_indices)
        norm_cfg = {'type': 'BN'} if norm_cfg is None else norm_cfg
        c = base_channels
        self.base_channels = c
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, c, 3, stride=2, padding=1),
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
        self._freeze()

    def train(self, mode: bool = True) -> 'SCTNet':
        """Switch to training or eval mode, all but what is frozen."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def _freeze(self) -> None:
        for names in STAGES[: self.frozen_stages + 1]:
            for name in names:
                getattr(self, name).requires_grad_(False).eval()

    def forward(self, x: Tensor) -> SCTNetFeatures | tuple[Tensor, ...]:
        """Compute the features of an image batch (N, in_channels, H, W).

        Returns:
            All four as :class:`SCTNetFeatures`; a plain tuple of those that
            ``out_indices`` names, if these are fewer.

        Raises:
            ImageError: H or W is below 64, or it has another number of bands.
        """
        if x.shape[1] != self.in_channels:
            raise ImageError(
                f'an image has {x.shape[1]} bands and the network takes '
                f'{self.in_channels}: set model.backbone.in_channels to {x.shape[1]}, '
                'or read images of that many bands, as docs/bands.md has it'
            )
        if min(x.shape[-2:]) < MIN_SIZE:
            raise ImageError(
                f'SCTNet needs inputs of at least {MIN_SIZE}x{MIN_SIZE} pixels but got '
                f'{x.shape[-1]}x{x.shape[-2]} (width x height): crop it less, or raise '
                "the test pipeline's Resize scale, or test_cfg.crop_size of slide mode"
            )
        features = self._features(x)
        if len(self.out_indices) == len(SCTNetFeatures._fields):
            return SCTNetFeatures(*features)
        return tuple(features[index] for index in self.out_indices)

    def _features(self, x: Tensor) -> list[Tensor]:
        """The features up to the last that is wanted."""
        last = self.out_indices[-1]
        x = self._run(self.stage1, self._run(self.stem, x))
        detail = self._run(self.stage2, F.relu(x))
        features = [detail]
        if last >= 1:
            x = self._run(self.stage3, F.relu(detail))
            features.append(self._run(self.cfblock3, F.relu(x)))
        if last >= 2:
            x = self._run(self.cfblock4_1, self._run(self.downsample4, features[1]))
            features.append(self._run(self.cfblock4_2, F.relu(x)))
        if last >= 3:
            context = F.interpolate(
                self._run(self.dappm, features[2]),
                detail.shape[-2:],
                mode='bilinear',
                align_corners=False,
            )
            features.append(torch.cat([detail, context], dim=1))
        return features

    def _run(self, part: nn.Module, x: Tensor) -> Tensor:
        if self.with_cp and torch.is_grad_enabled():
            return checkpointed(part, x)
        return part(x)

    def adapt_weights(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        """Rename, and reduce a whole model's weights to its backbone's."""
        if not prefix:
            _keep_backbone(state_dict)
        rename_weights(state_dict, prefix, BACKBONE_NAMES)


def _check_options(
    in_channels: int, frozen_stages: int, out_indices: Sequence[int]
) -> None:
    if type(in_channels) is not int or in_channels < 1:
        raise ConfigError(
            f'in_channels is {in_channels!r}: set it to the number of bands, such as 4'
        )
    whole = len(STAGES) - 1
    if type(frozen_stages) is not int or not -1 <= frozen_stages <= whole:
        raise ConfigError(
            f'frozen_stages is {frozen_stages!r}: set it to -1 (nothing is frozen), 0 '
            f'(the stem) or more, up to {whole} (the whole backbone)'
        )
    count = len(SCTNetFeatures._fields)
    if not out_indices or list(out_indices) != sorted(
        set(out_indices) & {*range(count)}
    ):
        raise ConfigError(
            f'out_indices is {out_indices!r}: set it to some of 0 '
            f'({", ".join(SCTNetFeatures._fields)}) to {count - 1}, in ascending order'
        )


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
