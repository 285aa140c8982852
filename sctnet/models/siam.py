"""SIAM, the semantic information alignment module (paper, section 3.3).

::

    student                                  teacher (frozen)
    stage3 -- conv1x1 ---------------------> stage3      bfa_stage3
    stage4 -- conv1x1 ---------------------> stage4      bfa_stage4
    fused --- conv1x1 -- upsample -- align -- its decoder -+-> decoded   sdha_feature
                                                           +-> logits    sdha_logits

Only training uses it: the two kinds of alignment hold 1x1 convolutions and nothing
else, and a student runs without them.
"""

from collections.abc import Callable, Mapping

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ConfigError
from .channel_wise_divergence import ChannelWiseDivergence, full_precision
from .loss_schedule import LossSchedule
from .teacher import Decoded, Teacher, TeacherFeatures

Schedule = str | Mapping
EPS = 1e-6


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

    def forward(
        self,
        student: tuple[Tensor, ...],
        teacher: TeacherFeatures,
        decode: Callable[[Tensor], Decoded],
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """Pair decoded features and logits of the student with the teacher's.

        ``decode`` maps (N, ``merged_channels``, H, W) to decoded features and logits;
        gradients flow through it to the student.
        """
        merged, decoded, logits = teacher.shared()
        x = self.projection(student[self.student_index])
        if x.shape[2:] != merged.shape[2:]:
            x = F.interpolate(x, merged.shape[2:], mode='bilinear', align_corners=False)
        ours = decode(scale_align(x, merged))
        return {
            'sdha_feature': (ours.features, decoded),
            'sdha_logits': (ours.logits, logits),
        }


def scale_align(student: Tensor, teacher: Tensor) -> Tensor:
    """Give each channel of ``student`` the mean and spread of ``teacher``'s.

    Both are (N, C, H, W); the statistics (mean, unbiased standard deviation) run over
    batch and space together, and over this process alone, as in the original.
    """
    student, teacher = full_precision(student), full_precision(teacher)
    std, mean = torch.std_mean(student, dim=(0, 2, 3), keepdim=True)
    std_t, mean_t = torch.std_mean(teacher, dim=(0, 2, 3), keepdim=True)
    return (student - mean) / (std + EPS) * std_t + mean_t


@MODELS.register_module()
class SIAM(BaseModule):
    """Both alignments and their weighted losses.

    Args:
        bfa: arguments of :class:`BackboneFeatureAlignment`'s ``stages``; None leaves
            backbone feature alignment out.
        sdha: arguments of :class:`SharedDecoderHeadAlignment`; None leaves shared
            decoder head alignment out.
        loss_weights: weight of each term, ``bfa_<stage>``, ``sdha_feature`` and
            ``sdha_logits``; a weight of 0 keeps a term in the graph and in the log.
        temperature: of :class:`ChannelWiseDivergence`.
        schedule: how the weights fall over the training: ``'constant'``,
            ``'linear'``, ``'cosine'``, a dict of :class:`LossSchedule`'s arguments, or
            a dict from terms to either.

    Raises:
        ConfigError: a term has no weight, a weight no term, or a schedule is wrong.
    """

    def __init__(
        self,
        bfa: Mapping[str, Mapping[str, int]] | None,
        sdha: Mapping[str, int] | None,
        loss_weights: Mapping[str, float],
        temperature: float = 4.0,
        schedule: Schedule = 'constant',
    ) -> None:
        super().__init__()
        self.bfa = BackboneFeatureAlignment(bfa) if bfa else None
        self.sdha = SharedDecoderHeadAlignment(**sdha) if sdha else None
        self.divergence = ChannelWiseDivergence(temperature)
        self.terms = [f'bfa_{name}' for name in bfa or ()]
        self.terms += ['sdha_feature', 'sdha_logits'] if sdha else []
        missing = [term for term in self.terms if term not in loss_weights]
        if missing:
            raise ConfigError(
                f'siam.loss_weights has no weight for {missing}: add it, 0 for none'
            )
        self.loss_weights = {term: float(loss_weights[term]) for term in self.terms}
        self.schedules = _schedules(schedule, self.terms)
        self.set_progress(0, 1)

    def set_progress(self, iteration: int, max_iters: int) -> None:
        """Say where the training stands; scheduled weights follow."""
        self.factors = {
            term: schedule.factor(iteration, max_iters)
            for term, schedule in self.schedules.items()
        }

    def check_teacher(self, teacher: Teacher) -> None:
        """See that ``teacher`` is one that these alignments were made for.

        Raises:
            ConfigError: its decoder cannot be shared, or takes other channels.
        """
        if self.sdha is None:
            return
        head = type(teacher.segmentor.decode_head).__name__
        if not teacher.shares_decoder:
            raise ConfigError(
                f"the teacher's {head} cannot be shared with the student: set "
                'model.siam.sdha=None to align backbone stages alone, or take a '
                'teacher with a SegformerHead or an FCNHead'
            )
        wanted = self.sdha.projection.out_channels
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
    ) -> dict[str, Tensor]:
        """Return the weighted terms, ``loss_bfa_stage3`` and so on, as scalars.

        Args:
            student: the features that the student's backbone returned.
            teacher: what the teacher made of the same images.
            decode: the teacher's decoder, for the student's features.
        """
        pairs = {}
        if self.bfa is not None:
            pairs.update(self.bfa(student, teacher))
        if self.sdha is not None:
            pairs.update(self.sdha(student, teacher, decode))
        return {
            f'loss_{term}': self.loss_weights[term]
            * self.factors[term]
            * self.divergence(*pair)
            for term, pair in pairs.items()
        }


def _schedules(schedule: Schedule, terms: list[str]) -> dict[str, LossSchedule]:
    if isinstance(schedule, Mapping) and 'kind' not in schedule:
        unknown = [term for term in schedule if term not in terms]
        if unknown:
            raise ConfigError(
                f'siam.schedule names {unknown}, and the terms are {terms}: name these '
                'terms, or one kind for all'
            )
        each = {term: schedule.get(term, 'constant') for term in terms}
    else:
        each = dict.fromkeys(terms, schedule)
    return {
        term: LossSchedule(kind=spec) if isinstance(spec, str) else LossSchedule(**spec)
        for term, spec in each.items()
    }
