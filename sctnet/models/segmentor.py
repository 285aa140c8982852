"""The SCTNet segmentor: mmseg's encoder-decoder, taught by another while it trains.

::

    image -+-> backbone -+-> decode head -----> loss_ce, prediction
           |             +-> auxiliary head --> loss_ce                 (training)
           |             +-> SIAM ------------> loss_bfa_*, loss_sdha_* (training)
           +-> teacher ------+                                          (training)
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.utils import OptSampleList, SampleList, add_prefix
from torch import Tensor, nn

from ..datasets.check_labels import check_samples
from ..errors import ConfigError
from ..prediction.predict import (
    fill_sample,
    network_logits,
    small_logits_suffice,
    whole_labels,
)
from ..weights.key_map import (
    AUXILIARY_NAMES,
    SIAM_NAMES,
    NameMap,
    rename_all,
    settle_training_only,
)
from .backbone import SCTNet
from .backbone_fit import check_bands, check_indices
from .faster_training.few_operations import in_few_operations
from .faster_training.head_losses import head_losses, supports_losses
from .heads import heads_of, label_count
from .loading import WholeLoading
from .options import check_train_cfg, rename_fused
from .siam import SIAM
from .teacher import Teacher
from .teacher_features import TeacherFeatures


def _saves_memory(segmentor: Any) -> bool:
    backbone = segmentor.backbone
    return isinstance(backbone, SCTNet) and backbone.with_cp


class _Holder:
    """Holds what is beside the module tree; copies and pickles of it are empty."""

    def __init__(self, teacher: Teacher | None = None) -> None:
        self.teacher = teacher
        self.compiled: Callable[[Tensor], tuple[Tensor, ...]] | None = None

    def __reduce__(self) -> tuple[type, tuple]:
        return _Holder, ()


@MODELS.register_module()
class SCTSegmentor(WholeLoading, EncoderDecoder):
    """Backbone, decode head and, while it trains, an auxiliary head and SIAM.

    Takes mmseg's ``EncoderDecoder`` arguments and follows its contract: ``loss``,
    ``predict`` and ``tensor`` modes on (N, 3, H, W) batches. With ``siam`` the losses
    also align it with a teacher, which must be attached before and is never a part of
    it: not of its parameters, state dict, copies or modes.

    ``predict`` makes label maps straight from the small logits, without ``seg_logits``
    (:mod:`..prediction.label_map`); ``test_cfg.shortcuts=False`` does it mmseg's way.
    ``loss`` takes the short cuts of :mod:`.faster_training`. With
    ``train_cfg.shortcuts=False`` it computes the same step by step, by torch and mmseg
    alone. ``train_cfg`` also takes ``channels_last`` and ``compile``
    (``torch.compile``) for the backbone's training.

    It also differs in what it loads: weights under the original's names, with or
    without the training-only parts, and nothing that fits only in part.

    Args:
        siam: config of :class:`SIAM`; None trains without a teacher.
        **kwargs: the arguments of mmseg's ``EncoderDecoder``; ``backbone`` may be any.

    Raises:
        ConfigError: an option of ``train_cfg`` cannot be, or a head selects a feature
            that the backbone does not return.
    """

    def __init__(self, *, siam: dict | None = None, **kwargs: Any) -> None:
        for place in ('train_cfg', 'test_cfg'):
            kwargs[place] = rename_fused(kwargs.get(place), place)
        super().__init__(**kwargs)
        check_train_cfg(self.train_cfg or {})
        self.siam: SIAM | None = None if siam is None else MODELS.build(siam)
        check_indices(self)
        check_bands(self)
        if self.train_cfg and self.train_cfg.get('compile') and _saves_memory(self):
            raise ConfigError(
                'model.train_cfg.compile and model.backbone.with_cp do not go '
                'together: torch.compile cannot take the latter in; leave one out'
            )
        self._holder = _Holder()

    @property
    def teacher(self) -> Teacher | None:
        """The attached teacher, if any."""
        return self._holder.teacher

    def attach_teacher(self, teacher: Teacher) -> None:
        """Let ``loss`` align this student with ``teacher``, on this model's device.

        Raises:
            ConfigError: SIAM was built for another kind of teacher.
        """
        if self.siam is not None:
            self.siam.check_teacher(teacher)
        self._holder = _Holder(teacher)

    def detach_teacher(self) -> None:
        """Forget the teacher."""
        self._holder = _Holder()

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict[str, Tensor]:
        """Compute every loss of a normalised batch (N, 3, H, W).

        Returns:
            ``decode.loss_ce``, with an auxiliary head ``aux.loss_ce``, with SIAM
            ``siam.loss_*``, all weighted; and accuracies, which are not summed.

        Raises:
            ConfigError: there is a SIAM but no teacher is attached.
            DataError: on a CPU, a label is outside the classes.
        """
        # The teacher's work is done before the student's activations take memory, and
        # its features are gone before the heads take theirs.
        target = self._teach(inputs)
        compiled = (self.train_cfg or {}).get('compile', False)
        plain = compiled or not self.shortcuts
        parts = [] if plain else [self.backbone, *self._heads().values()]
        with in_few_operations(parts):
            features = self._extract_for_training(inputs)
            aligned = {}
            if self.siam is not None and target is not None:
                losses = self.siam(features, target, self.shortcuts)
                aligned = add_prefix(losses, 'siam')
            del target
            return {**self._head_losses(features, data_samples), **aligned}

    @property
    def shortcuts(self) -> bool:
        """Whether teacher and losses take short cuts (``train_cfg.shortcuts``)."""
        return (self.train_cfg or {}).get('shortcuts', True)

    def _extract_for_training(self, inputs: Tensor) -> tuple[Tensor, ...]:
        options = self.train_cfg or {}
        if options.get('channels_last'):
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        if not options.get('compile'):
            return self.extract_feat(inputs)
        if self._holder.compiled is None:
            self._holder.compiled = torch.compile(self.extract_feat)
        return self._holder.compiled(inputs)

    def _teach(self, inputs: Tensor) -> TeacherFeatures | None:
        if self.siam is None or not self.siam.terms:
            return None
        if self.teacher is None:
            raise ConfigError(
                'there is no teacher to align with: use a DistillationHook (or its '
                'attach(segmentor) without a Runner), or set model.siam=None to train '
                'without one'
            )
        teacher = self.teacher
        if next(teacher.parameters()).device != inputs.device:
            teacher.to(inputs.device)  # the student was moved after attaching
        return teacher(inputs, self.siam.sdha is not None, self.shortcuts)

    def _heads(self) -> dict[str, Any]:
        """The heads by their names in the log: decode, and aux or aux_0, aux_1, ..."""
        short = {'decode_head': 'decode', 'auxiliary_head': 'aux'}
        found = {}
        for name, head in heads_of(self).items():
            kind, _, number = name.partition('.')
            found[f'{short[kind]}_{number}' if number else short[kind]] = head
        return found

    def _head_losses(
        self, features: tuple[Tensor, ...], data_samples: SampleList
    ) -> dict[str, Tensor]:
        check_samples(data_samples, label_count(self), self.decode_head.ignore_index)
        losses = {}
        for name, head in self._heads().items():
            if self.shortcuts and supports_losses(head):
                terms = head_losses(head, features, data_samples)
            else:
                terms = head.loss(features, data_samples, self.train_cfg)
            losses.update(add_prefix(terms, name))
        return losses

    def parse_losses(
        self, losses: Mapping[str, Any]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Sum the losses as mmengine does, which takes means of single numbers too."""
        if not all(isinstance(value, Tensor) for value in losses.values()):
            return super().parse_losses(losses)
        numbers = {k: v if v.dim() == 0 else v.mean() for k, v in losses.items()}
        total = sum(value for name, value in numbers.items() if 'loss' in name)
        return total, {'loss': total, **numbers}

    def predict(self, inputs: Tensor, data_samples: OptSampleList = None) -> SampleList:
        """Segment normalised images (N, 3, H, W).

        Returns:
            The samples with ``pred_sem_seg`` (1, H, W) at each image's own size; with
            ``seg_logits`` (K, H, W) too where :func:`small_logits_suffice` says no.
        """
        if data_samples is None or not small_logits_suffice(self, data_samples):
            return whole_labels(super().predict(inputs, data_samples))
        return [
            fill_sample(sample, logits, inputs.shape[2:])
            for sample, logits in zip(
                data_samples, network_logits(self, inputs), strict=True
            )
        ]

    @property
    def original_names(self) -> NameMap:
        """The original's names of training-only parts; heads of a list know theirs."""
        several = isinstance(getattr(self, 'auxiliary_head', None), nn.ModuleList)
        return SIAM_NAMES if several else {**SIAM_NAMES, **AUXILIARY_NAMES}

    def adapt_weights(self, state_dict: dict[str, Tensor], prefix: str) -> None:
        """Rename all parts; leave out or keep those that only training needs."""
        rename_all(self, state_dict, prefix)
        settle_training_only(state_dict, prefix, self.state_dict())
