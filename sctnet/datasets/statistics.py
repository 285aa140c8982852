"""What the pixels of a data set are like: mean and spread, weights of classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEP = 4  # of rows and columns that are looked at


@dataclass
class BandSums:
    """Sums over pixels of images, of which mean and spread follow.

    Attributes:
        count: pixels that were looked at.
        total: sum of each band, float64 (C,).
        squares: sum of the squares, likewise.
    """

    count: int
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> 'BandSums':
        """Look at some pixels of an image (H, W, C)."""
        values = image[::STEP, ::STEP].reshape(-1, image.shape[2]).astype(np.float64)
        return cls(len(values), values.sum(0), np.einsum('pc,pc->c', values, values))

    def __add__(self, other: 'BandSums') -> 'BandSums':
        return BandSums(
            self.count + other.count,
            self.total + other.total,
            self.squares + other.squares,
        )

    @property
    def mean(self) -> list[float]:
        """Of each band."""
        return (self.total / self.count).tolist()

    @property
    def std(self) -> list[float]:
        """Of each band, above 0."""
        square = self.squares / self.count - (self.total / self.count) ** 2
        return np.sqrt(np.maximum(square, 1e-12)).tolist()

    @property
    def rounded(self) -> tuple[list[float], list[float]]:
        """Mean and spread as a config says them."""
        mean, std = ([float(f'{v:.4g}') for v in one] for one in (self.mean, self.std))
        return mean, std


def weights_line(pixels: Sequence[int]) -> str:
    """Return what gives a decode head's loss weights, for the end of a config.

    Args:
        pixels: of each class.
    """
    weights = class_weights(pixels)
    return f'model.update(decode_head=dict(loss_decode=dict(class_weight={weights})))'


def class_weights(pixels: Sequence[int]) -> list[float]:
    """Return mild weights for a loss: the inverse roots of the shares, 1 on average.

    Args:
        pixels: of each class; one without any counts as if it had all.
    """
    total = sum(pixels)
    roots = [(count / total) ** -0.5 if count else 1.0 for count in pixels]
    scale = len(roots) / sum(roots)
    return [round(root * scale, 3) for root in roots]


def fitting_crop(short_side: int, largest: int) -> int:
    """Return the side, a multiple of 32, of a square that lies within the images."""
    return max(64, min(largest, short_side // 32 * 32))
