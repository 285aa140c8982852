"""CFBlock, the transformer-like block without attention matrices (paper, section 3.2).

::

    x -> + -> norm -> conv attention (vertical + horizontal) -> drop path -> +
         |___________________________________________________________________|
      -> + -> norm -> conv3x3 -> GELU -> conv3x3 -> drop path -> +
         |_______________________________________________________|

Source: Xu et al., AAAI 2024, and the original repository, whose attention reuses the
grouped double normalisation of RTFormer's external attention.
"""

import torch
from mmcv.cnn.bricks import DropPath
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError
from .half_precision import full_precision
from .layers import NormCfg, build_norm


class ConvAttention(nn.Module):
    """Convolutional attention against learnable keys that also serve as values.

    Two branches, vertical (7x1) and horizontal (1x7). In each, a convolution scores
    every position against ``num_keys`` kernels, the scores are normalised twice, and
    the transposed convolution kernels, as values, are summed with them.

    Args:
        channels: C of the input and output, (N, C, h, w).
        num_heads: groups of keys within which scores are normalised the second time.
        num_keys: learnable kernels per branch.
        norm_cfg: norm before the attention.
    """

    def __init__(
        self, channels: int, num_heads: int, num_keys: int, norm_cfg: NormCfg
    ) -> None:
        super().__init__()
        if num_keys % num_heads:
            raise ConfigError(
                f'num_keys={num_keys} is not divisible by num_heads={num_heads}: '
                'give every head the same number of keys'
            )
        self.num_heads = num_heads
        self.norm = build_norm(norm_cfg, channels)
        self.vertical = nn.Parameter(torch.empty(num_keys, channels, 7, 1))
        self.horizontal = nn.Parameter(torch.empty(num_keys, channels, 1, 7))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give keys a truncated normal (std 0.001), as the original meant to.

        The original's initialiser had no effect and left them all zero, in which
        state all keys receive the same gradient and stay equal for ever.
        """
        for kernels in (self.vertical, self.horizontal):
            nn.init.trunc_normal_(kernels, std=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        y = self.norm(x)
        return self._attend(y, self.vertical, (3, 0)) + self._attend(
            y, self.horizontal, (0, 3)
        )

    def _attend(self, x: Tensor, kernels: Tensor, padding: tuple[int, int]) -> Tensor:
        scores = F.conv2d(x, kernels, padding=padding)
        return F.conv2d(
            self._normalise_twice(scores), kernels.transpose(0, 1), padding=padding
        )

    def _normalise_twice(self, scores: Tensor) -> Tensor:
        """Softmax over positions, then by the sum over each head's keys."""
        n, keys, h, w = scores.shape
        grouped = scores.reshape(n, self.num_heads, keys // self.num_heads, h * w)
        # A position's share of thousands is near the smallest that float16 tells.
        weights = full_precision(grouped).softmax(dim=3)
        weights = weights / (weights.sum(dim=2, keepdim=True) + 1e-6)
        return weights.reshape(n, keys, h, w).to(scores.dtype)


class ConvFFN(nn.Module):
    """Feed-forward part of a CFBlock: norm, conv3x3, GELU, conv3x3.

    Maps (N, C, h, w) to (N, C, h, w). Its norm has eps 1e-6 where the others have
    1e-5, as in the original.
    """

    def __init__(self, channels: int, norm_cfg: NormCfg) -> None:
        super().__init__()
        self.norm = build_norm({**norm_cfg, 'eps': 1e-6}, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = nn.GELU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        return self.conv2(self.act(self.conv1(self.norm(x))))


class CFBlock(nn.Module):
    """Convolutional attention and feed-forward part, each with a residual sum.

    Args:
        channels: C of the input and output, (N, C, h, w).
        norm_cfg: norm of both parts.
        num_heads: see :class:`ConvAttention`.
        num_keys: see :class:`ConvAttention`.
        drop_path_rate: chance, per sample and part, that a part is skipped in
            training; what remains is scaled by the keep probability.
    """

    def __init__(
        self,
        channels: int,
        norm_cfg: NormCfg,
        num_heads: int = 8,
        num_keys: int = 64,
        drop_path_rate: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention = ConvAttention(channels, num_heads, num_keys, norm_cfg)
        self.ffn = ConvFFN(channels, norm_cfg)
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C, h, w)."""
        x = self._add(x, self.attention(x))
        return self._add(x, self.ffn(x))

    def _add(self, x: Tensor, part: Tensor) -> Tensor:
        """Return ``x + self.drop_path(part)``, draw for draw, in fewer operations."""
        dropped = self.drop_path.drop_prob
        if not self.training or dropped == 0:
            return x + part
        kept = 1 - dropped
        draws = torch.rand((len(x), 1, 1, 1), dtype=part.dtype, device=part.device)
        return torch.addcmul(x, part, draws.add_(kept).floor_(), value=1 / kept)
