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

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from ..errors import ConfigError
from .bfa import BackboneFeatureAlignment
from .channel_wise_divergence import ChannelWiseDivergence
from .loss_schedule import LossSchedule
from .sdha import SharedDecoderHeadAlignment
from .teacher import Teacher
from .teacher_features import TeacherFeatures

Schedule = str | Mapping[str, Any]
_OPTIONS = {field.name for field in fields(LossSchedule)}


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
        # What belongs to an alignment that is left out may stay in either option.
        absent = tuple(name for name, on in (('bfa_', bfa), ('sdha_', sdha)) if not on)
        _check_terms('loss_weights', loss_weights, self.terms, absent)
        self.loss_weights = {term: float(loss_weights[term]) for term in self.terms}
        each: Mapping[str, Any] = dict.fromkeys(self.terms, schedule)
        if isinstance(schedule, Mapping) and not schedule.keys() & _OPTIONS:
            _check_terms('schedule', schedule, self.terms, absent)
            each = schedule
        self.schedules = {
            term: _build_schedule(each.get(term, 'constant')) for term in self.terms
        }
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
            ConfigError: its stages have other channels, its decoder cannot be shared or
                takes other channels.
        """
        for alignment in (self.bfa, self.sdha):
            if alignment is not None:
                alignment.check_teacher(teacher)

    def forward(
        self,
        student: tuple[Tensor, ...],
        teacher: TeacherFeatures,
        shortcuts: bool = True,
    ) -> dict[str, Tensor]:
        """Return the weighted terms, ``loss_bfa_stage3`` and so on, as scalars.

        Args:
            student: the features that the student's backbone returned.
            teacher: what the teacher made of the same images.
            shortcuts: False computes the divergences by torch alone.
        """
        pairs = {}
        for alignment in (self.bfa, self.sdha):
            if alignment is not None:
                pairs.update(alignment(student, teacher))
        losses = {}
        for term in self.terms:
            pair = pairs.pop(term)  # the student's map is let go once compared
            weight = self.loss_weights[term] * self.factors[term]
            losses[f'loss_{term}'] = weight * self.divergence(*pair, shortcuts)
        return losses


def _check_terms(
    option: str, given: Iterable[str], terms: list[str], absent: tuple[str, ...]
) -> None:
    unknown = [t for t in given if t not in terms and not t.startswith(absent)]
    if unknown:
        raise ConfigError(
            f'siam.{option} names {unknown}, and the terms are {terms}: name these'
        )


def _build_schedule(spec: Schedule) -> LossSchedule:
    if isinstance(spec, str):
        return LossSchedule(kind=spec)
    unknown = sorted(spec.keys() - _OPTIONS)
    if unknown:
        raise ConfigError(f'a loss schedule has no {unknown}: use {sorted(_OPTIONS)}')
    return LossSchedule(**spec)
