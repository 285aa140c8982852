"""SDHA: the student's features in the teacher's decoder (paper, section 3.3)."""

from collections.abc import Callable

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..errors import ConfigError
from .half_precision import full_precision
from .shortcuts.interpolation import upsample
from .shortcuts.shared_decoder import PointwiseDecoder, decode_student
from .teacher import Decoded, Teacher, TeacherFeatures

EPS = 1e-6


class SharedDecoderHeadAlignment(BaseModule):
    """SDHA: the student's features go through the teacher's own frozen decoder.

    Args:
        student_index: which of the student's features; 3 is SCTNet's ``fused``.
        student_channels: its channels, 4c.
        merged_channels: channels that the teacher's decoder takes; 1024 for a
            SegFormer with a head of 256.
    """

    def __init__(
        self, student_index: int, student_channels: int, merged_channels: int
    ) -> None:
        super().__init__()
        self.student_index = student_index
        self.projection = nn.Conv2d(student_channels, merged_channels, 1)

    def check_teacher(self, teacher: Teacher) -> None:
        """See that the teacher's decoder can be shared and takes what is projected.

        Raises:
            ConfigError: it cannot, or takes other channels.
        """
        head = type(teacher.segmentor.decode_head).__name__
        if not teacher.shares_decoder:
            raise ConfigError(
                f"the teacher's {head} cannot be shared with the student: set "
                'model.siam.sdha=None to align backbone stages alone, or take a '
                'teacher with a SegformerHead or an FCNHead'
            )
        wanted = self.projection.out_channels
        if teacher.merged_channels != wanted:
            raise ConfigError(
                f"the teacher's {head} takes {teacher.merged_channels} channels and "
                f'model.siam.sdha.merged_channels is {wanted}: make them equal'
            )

    def forward(
        self,
        student: tuple[Tensor, ...],
        teacher: TeacherFeatures,
        decode: Callable[[Tensor], Decoded],
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Pair decoded features and logits of the student with the teacher's.

        ``decode`` maps (N, ``merged_channels``, H, W) to decoded features and logits;
        gradients flow through it to the student. It is not called where the teacher
        brings a :class:`PointwiseDecoder`, for the same without the merged map.
        """
        assert teacher.decoded is not None
        x, merged = student[self.student_index], teacher.merged
        if isinstance(merged, PointwiseDecoder):
            ours = Decoded(*decode_student(x, self.projection, merged, EPS))
        else:
            assert merged is not None
            ours = decode(scale_align(self._project(x, merged), merged))
        return {
            'sdha_feature': (ours.features, teacher.decoded.features),
            'sdha_logits': (ours.logits, teacher.decoded.logits),
        }

    def _project(self, x: Tensor, merged: Tensor) -> Tensor:
        """Project (N, 4c, h, w) to the teacher's merged channels and size."""
        return upsample(self.projection(x), merged.shape[2:])


def scale_align(student: Tensor, teacher: Tensor) -> Tensor:
    """Give each channel of ``student`` the mean and spread of ``teacher``'s.

    Both are (N, C, H, W); the statistics (mean, unbiased standard deviation) run over
    batch and space together, and over this process alone, as in the original.
    """
    student, teacher = full_precision(student), full_precision(teacher)
    std, mean = torch.std_mean(student, dim=(0, 2, 3), keepdim=True)
    std_t, mean_t = torch.std_mean(teacher, dim=(0, 2, 3), keepdim=True)
    return (student - mean) / (std + EPS) * std_t + mean_t
