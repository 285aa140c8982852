"""BFA: the student's stages beside the teacher's (paper, section 3.3)."""

from collections.abc import Mapping

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..errors import ConfigError
from .teacher import Teacher
from .teacher_features import TeacherFeatures


class BackboneFeatureAlignment(BaseModule):
    """BFA: student stages, projected to the teacher's channels, beside its stages.

    Args:
        stages: name of each pair to a dict of ``student_index``, ``student_channels``,
            ``teacher_index`` and ``teacher_channels``; the indices select from what
            the two backbones return.
    """

    def __init__(self, stages: Mapping[str, Mapping[str, int]]) -> None:
        super().__init__()
        self.indices = {
            name: (stage['student_index'], stage['teacher_index'])
            for name, stage in stages.items()
        }
        self.projections = nn.ModuleDict(
            {
                name: nn.Conv2d(stage['student_channels'], stage['teacher_channels'], 1)
                for name, stage in stages.items()
            }
        )

    def check_teacher(self, teacher: Teacher) -> None:
        """See that the teacher's stages have the channels that are projected to."""
        channels = teacher.stage_channels()
        for name, projection in self.projections.items():
            index = self.indices[name][1]
            found = channels[index] if index < len(channels) else None
            if found != projection.out_channels:
                raise ConfigError(
                    f"the teacher's stages have {channels} channels and "
                    f'model.siam.bfa.{name} expects {projection.out_channels} at '
                    f'teacher_index={index}: set teacher_channels and teacher_index to '
                    'one of them'
                )

    def forward(
        self, student: tuple[Tensor, ...], teacher: TeacherFeatures
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Pair projected stages (N, C, h, w) with the teacher's (N, C, H, W)."""
        pairs = {}
        for name, projection in self.projections.items():
            of_student, of_teacher = self.indices[name]
            pairs[f'bfa_{name}'] = (
                projection(student[of_student]),
                teacher.stages[of_teacher],
            )
        return pairs
