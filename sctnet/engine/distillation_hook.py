"""Brings a teacher to an SCTNet segmentor before its first iteration."""

import copy
import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import HOOKS, MODELS
from torch import nn

from ..catalog import load_config
from ..errors import CheckpointError, ConfigError
from ..models import SCTSegmentor, Teacher
from ..weights.fit import counted
from ..weights.segmentor_files import find_segmentor, load_segmentor
from .teacher_check import check_classes, check_preprocessing, sanity_report
from .unwrap import unwrapped


@HOOKS.register_module()
class DistillationHook(Hook):
    """Builds, loads, checks and attaches a frozen teacher; detaches it at the end.

    The teacher never becomes a part of the student: not of its state dict, optimizer,
    EMA copies or DDP. It is built when training starts, so that testing needs neither
    it nor its file.

    Args:
        teacher: which segmentor teaches: the path or name of its config, or the model
            dict of one.
        checkpoint: its weights, a path, a URL or the folder of its training: as mmseg
            saves them (0.x or 1.x), as the original released them, or our own.
        sanity_images: before the first iteration, how many images of the validation
            set to measure the teacher's mIoU on, and of either set to check the labels
            of; 0 skips both. With ``dtype`` also its rounding on these images.
        dtype: ``bf16`` or ``fp16`` for the teacher's features, see :class:`Teacher`.
        compile: compile the teacher's backbone with ``torch.compile``.
        graph: replay what the teacher starts on a GPU: by default where that is known
            to work, see :class:`Teacher`.
    """

    def __init__(
        self,
        teacher: str | os.PathLike | Mapping[str, Any],
        checkpoint: str | os.PathLike | None = None,
        sanity_images: int = 8,
        dtype: str | None = None,
        compile: bool = False,
        graph: bool | None = None,
    ) -> None:
        self.teacher = teacher
        self.checkpoint = checkpoint
        self.sanity_images = sanity_images
        self.dtype = dtype
        self.compile = compile
        self.graph = graph

    def before_train(self, runner: Runner) -> None:
        """Attach the teacher, and report whether it fits the data.

        Not in ``before_run``: EMA copies the model there, and mmengine builds hooks
        for testing too.

        Raises:
            CheckpointError: as for :meth:`attach`.
            ConfigError: student, teacher and data set do not go together.
            DataError: labels lie outside the classes.
        """
        segmentor = unwrapped(runner.model)
        teacher = self.attach(segmentor)
        if teacher is None:
            return
        dataset = runner.train_dataloader.dataset
        classes = getattr(dataset, 'metainfo', {}).get('classes')
        check_classes(segmentor, teacher, classes, runner.logger)
        if self.sanity_images:
            sanity_report(runner, segmentor, teacher, self.sanity_images)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Tell SIAM where the training stands, for scheduled loss weights."""
        siam = getattr(unwrapped(runner.model), 'siam', None)
        if siam is not None:
            siam.set_progress(runner.iter, runner.max_iters)

    def after_train(self, runner: Runner) -> None:
        """Detach the teacher."""
        segmentor = unwrapped(runner.model)
        if isinstance(segmentor, SCTSegmentor):
            segmentor.detach_teacher()

    def attach(self, segmentor: nn.Module) -> Teacher | None:
        """Build the teacher, load its weights and attach it; works without a Runner.

        Returns:
            The teacher, or None for a student without ``siam``, which needs none.

        Raises:
            CheckpointError: no file is named, or it cannot be read or does not fit.
            ConfigError: the student cannot be taught, or not by this teacher.
        """
        if not isinstance(segmentor, SCTSegmentor):
            raise ConfigError(
                f'a {type(segmentor).__name__} cannot be taught: set model.type to '
                'SCTSegmentor, which takes any backbone, and give it a siam'
            )
        if segmentor.siam is None or not segmentor.siam.terms:
            print_log(
                'no alignment is configured: training without a teacher', 'current'
            )
            return None
        teacher = self.build_teacher()
        check_preprocessing(segmentor, teacher)
        teacher.to(next(segmentor.parameters()).device)
        segmentor.attach_teacher(teacher)
        return teacher

    def build_teacher(self) -> Teacher:
        """Build the teacher and load its weights; raises as :meth:`attach` does."""
        file = find_teacher(self.teacher, self.checkpoint)  # before it takes time
        segmentor = build_teacher_segmentor(self.teacher)
        meta = load_segmentor(segmentor, file)
        number = len(counted(segmentor.state_dict()))
        print_log(f"teacher: loaded all {number} weights from '{file}'", 'current')
        if self.compile:
            print_log('the first iteration compiles the teacher: minutes', 'current')
        return Teacher(segmentor, meta, self.dtype, self.compile, self.graph)


def find_teacher(
    teacher: str | os.PathLike | Mapping[str, Any],
    checkpoint: str | os.PathLike | None,
) -> str:
    """Return the file or URL of the weights of ``teacher``, a config or its name.

    Raises:
        CheckpointError: none are named, or they are not there.
    """
    if checkpoint is None:
        raise CheckpointError(
            f'the teacher {_name(teacher)} has no weights: name its file with '
            '--teacher FILE (custom_hooks: DistillationHook, checkpoint), or train '
            'without a teacher by --cfg-options model.siam=None'
        )
    return find_segmentor(checkpoint)


def build_teacher_segmentor(
    teacher: str | os.PathLike | Mapping[str, Any],
) -> nn.Module:
    """Build the segmentor that a :class:`DistillationHook` names, without weights.

    Raises:
        ConfigError: there is no such config, or it is no segmentor's.
    """
    init_default_scope('mmseg')
    if isinstance(teacher, Mapping):
        config = teacher if 'model' in teacher else {'model': teacher}
    else:
        config = load_config(teacher)
    if 'type' not in config.get('model', {}):
        raise ConfigError(
            f'the teacher {_name(teacher)} has no model: name the config that it was '
            'trained with, or give the dict of its model'
        )
    model = copy.deepcopy(Config({'model': config['model']}).model)
    model.setdefault('test_cfg', {'mode': 'whole'})
    # Its weights come from the checkpoint; a pre-trained backbone would be read first.
    for left_out in ('pretrained', 'train_cfg', 'auxiliary_head', 'siam'):
        model.pop(left_out, None)
    return MODELS.build(model)


def _name(teacher: str | os.PathLike | Mapping[str, Any]) -> str:
    return 'of the config' if isinstance(teacher, Mapping) else f"'{teacher}'"
