"""SDHA: the student's features in the teacher's decoder (paper, section 3.3)."""

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..errors import ConfigError
from .teacher import Teacher
from .teacher_features import TeacherFeatures


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
        """See that the teacher's decoder can be shared and takes what is projected."""
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
        self, student: tuple[Tensor, ...], teacher: TeacherFeatures
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Pair decoded features and logits of the student with the teacher's."""
        assert teacher.decoded is not None
        ours = teacher.decode_aligned(student[self.student_index], self.projection)
        return {
            'sdha_feature': (ours.features, teacher.decoded.features),
            'sdha_logits': (ours.logits, teacher.decoded.logits),
        }
