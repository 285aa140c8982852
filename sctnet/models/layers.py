"""The small building blocks that SCTNet repeats."""

from collections import OrderedDict

from mmcv.cnn import build_norm_layer
from torch import Tensor, nn

NormCfg = dict


def build_norm(norm_cfg: NormCfg, channels: int) -> nn.Module:
    """Build the norm layer that ``norm_cfg`` describes for ``channels`` channels."""
    return build_norm_layer(norm_cfg, channels)[1]


class NormReluConv(nn.Sequential):
    """Pre-activated convolution: norm, ReLU, ``kernel_size`` convolution with bias.

    Maps (N, ``in_channels``, h, w) to (N, ``out_channels``, h, w).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, norm_cfg: NormCfg
    ) -> None:
        padding = kernel_size // 2
        layers = OrderedDict[str, nn.Module](
            norm=build_norm(norm_cfg, in_channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding),
        )
        super().__init__(layers)


class ResidualBlock(nn.Module):
    """Basic residual block: two 3x3 convolutions beside a shortcut.

    Maps (N, ``in_channels``, h, w) to (N, ``channels``, h / stride, w / stride).
    ``end_relu=False`` returns the sum as it is, for the last block of a stage, whose
    output other branches use before its ReLU.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        norm_cfg: NormCfg,
        stride: int = 1,
        end_relu: bool = True,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1)
        self.norm1 = build_norm(norm_cfg, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = build_norm(norm_cfg, channels)
        self.relu = nn.ReLU(inplace=True)
        self.end_relu = end_relu
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride),
                build_norm(norm_cfg, channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, h, w) to (N, channels, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y)) + shortcut
        return self.relu(y) if self.end_relu else y
