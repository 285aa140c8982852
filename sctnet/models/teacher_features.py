"""What a teacher makes of a batch, and the student's way through its decoder.

Two classes compute :meth:`TeacherFeatures.decode_aligned`: :class:`MergedFeatures` step
by step, for any teacher, and :class:`~.shortcuts.shared_decoder.PointwiseFeatures` the
same for a SegFormer in less time and memory.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .faster_training.interpolation import upsample
from .half_precision import full_precision

EPS = 1e-6


class Decoded(NamedTuple):
    """What a teacher's decoder makes of merged features."""

    features: Tensor  # (N, C, H/4, W/4), what the classifier sees
    logits: Tensor  # (N, K, H/4, W/4)


@dataclass(frozen=True)
class TeacherFeatures:
    """What the teacher makes of an image batch, without gradients."""

    stages: tuple[Tensor, ...]  # what its backbone returns
    decoded: Decoded | None  # what its decoder makes of them, unless that is not asked

    def decode_aligned(self, x: Tensor, projection: nn.Conv2d) -> Decoded:
        """Send a student's features through the teacher's decoder.

        They are projected, upsampled, brought to the mean and spread of the teacher's
        merged features (:func:`scale_align`) and decoded. Gradients flow through to
        ``x`` and ``projection``, and not into the teacher.

        Args:
            x: the student's (N, 4c, h, w).
            projection: a 1x1 convolution to the channels that the decoder takes.
        """
        raise NotImplementedError('the teacher was asked for its stages alone')


@dataclass(frozen=True)
class MergedFeatures(TeacherFeatures):
    """Features with the map that the teacher's decoder takes, and the decoder."""

    merged: Tensor  # (N, 1024, H/4, W/4)
    decode: Callable[[Tensor], Decoded]

    def decode_aligned(self, x: Tensor, projection: nn.Conv2d) -> Decoded:
        """See :class:`TeacherFeatures`."""
        x = upsample(projection(x), self.merged.shape[2:])
        return self.decode(scale_align(x, self.merged))


def scale_align(student: Tensor, teacher: Tensor) -> Tensor:
    """Give each channel of ``student`` the mean and spread of ``teacher``'s.

    Both are (N, C, H, W); the statistics (mean, unbiased standard deviation) run over
    batch and space together, and over this process alone, as in the original.
    """
    student, teacher = full_precision(student), full_precision(teacher)
    std, mean = torch.std_mean(student, dim=(0, 2, 3), keepdim=True)
    std_t, mean_t = torch.std_mean(teacher, dim=(0, 2, 3), keepdim=True)
    return (student - mean) / (std + EPS) * std_t + mean_t
