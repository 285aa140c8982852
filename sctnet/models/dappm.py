"""DAPPM, the deep aggregation pyramid pooling module.

Source: Pan et al., Deep Dual-Resolution Networks (DDRNet), as the original SCTNet
repository uses it; pre-activated throughout.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import NormCfg, NormReluConv

POOLS = ((5, 2), (9, 4), (17, 8))  # kernel, stride; padding is half the kernel


class DAPPM(nn.Module):
    """Context from five scales, each added to the next finer one's.

    Scale 0 is the input itself, 1 to 3 are average pools that count the padding, 4 is
    the global average.

    Args:
        in_channels: C of the input, (N, C, h, w).
        branch_channels: width of the five scales.
        out_channels: C_out of the output, (N, C_out, h, w).
        norm_cfg: norm before every convolution.
    """

    def __init__(
        self,
        in_channels: int,
        branch_channels: int,
        out_channels: int,
        norm_cfg: NormCfg,
    ) -> None:
        super().__init__()
        pools: list[nn.Module] = [nn.AvgPool2d(k, s, k // 2) for k, s in POOLS]
        self.pools = nn.ModuleList([nn.Identity(), *pools, nn.AdaptiveAvgPool2d(1)])
        num_scales = len(self.pools)
        self.scales = nn.ModuleList(
            NormReluConv(in_channels, branch_channels, 1, norm_cfg)
            for _ in range(num_scales)
        )
        self.processes = nn.ModuleList(
            NormReluConv(branch_channels, branch_channels, 3, norm_cfg)
            for _ in range(num_scales - 1)
        )
        self.compression = NormReluConv(
            num_scales * branch_channels, out_channels, 1, norm_cfg
        )
        self.shortcut = NormReluConv(in_channels, out_channels, 1, norm_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C_out, h, w)."""
        size = x.shape[-2:]
        outputs = [self.scales[0](x)]
        for pool, scale, process in zip(
            self.pools[1:], self.scales[1:], self.processes, strict=True
        ):
            pooled = F.interpolate(
                scale(pool(x)), size, mode='bilinear', align_corners=False
            )
            outputs.append(process(pooled + outputs[-1]))
        return self.compression(torch.cat(outputs, dim=1)) + self.shortcut(x)
