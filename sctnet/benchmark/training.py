"""The benchmark of a training step of a student and its teacher."""

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch.utils.data import DataLoader

from ..catalog import load_config
from ..datasets.collate import stack_samples
from ..engine.distillation_hook import build_teacher_segmentor
from ..engine.launch import distillation_hook, enable_amp
from ..models import SCTSegmentor, Teacher
from .case import SHORTCUTS, TEACHER_OPTIONS, Case, Contender, parse_way
from .models import without
from .stopwatch import Piece, Stopwatch

STAGES = ('teacher', 'student', 'SIAM', 'heads', 'backward', 'optimizer', 'rest')
IGNORED = 0.1  # share of labels


def training_contender(case: Case, device: str) -> Contender:
    """Prepare training steps: images in bytes to updated weights, by a Runner's parts.

    Student and teacher have random weights; images and labels are noise.

    Raises:
        ArgumentError: the way to train is not known.
    """
    step = TrainingStep(case, device)
    watch = Stopwatch(step, step.pieces(), STAGES, device)
    return Contender(step, None, case.size, watch)


class TrainingStep:
    """A student, its teacher, an optimizer and a batch; a call is an iteration."""

    def __init__(self, case: Case, device: str) -> None:
        options = parse_way(case.backend)
        cfg = copy.deepcopy(load_config(case.model))
        if 'amp' in options:
            enable_amp(cfg, device.startswith('cuda'))
        init_default_scope('mmseg')
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.student = _build_student(cfg, case, options).to(device)
            teacher = Teacher(
                build_teacher_segmentor(distillation_hook(cfg).teacher),
                **dict(TEACHER_OPTIONS[o] for o in options if o in TEACHER_OPTIONS),
            )
            self.student.attach_teacher(teacher.to(device))
            self.samples = [self._draw_sample(case.size) for _ in range(case.batch)]
        self.case, self.device = case, device
        self.take_images(case.batch)
        self.optim_wrapper = build_optim_wrapper(self.student, cfg.optim_wrapper)

    def _draw_sample(self, size: tuple[int, int]) -> dict[str, Any]:
        labels = torch.randint(0, self.student.num_classes, (1, *size))
        labels[torch.rand(labels.shape) < IGNORED] = 255
        image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
        sample = SegDataSample(gt_sem_seg=PixelData(data=labels))
        return {'inputs': image, 'data_samples': sample}

    def take_images(self, count: int) -> None:
        """Let the batch be of ``count`` images, repeated if there are not so many."""
        several = itertools.islice(itertools.cycle(self.samples), count)
        self.batch = _collate(list(several), self.case, self.device)

    def __call__(self) -> None:
        """Train one iteration."""
        self.student.train_step(dict(self.batch), self.optim_wrapper)

    def pieces(self) -> list[Piece]:
        """Name what an iteration goes through."""
        return [
            Piece(self.student, '_teach', 'teacher'),
            Piece(self.student, '_extract_for_training', 'student'),
            Piece(self.student.siam, 'forward', 'SIAM'),
            Piece(self.student, '_head_losses', 'heads'),
            Piece(self.optim_wrapper, 'backward', 'backward'),
            Piece(self.optim_wrapper, 'step', 'optimizer'),
        ]


def _collate(samples: Any, case: Case, device: str) -> dict:
    """Return the batch that a loader gives: ours with the short cuts, else mmseg's."""
    ours = case.backend.startswith(SHORTCUTS)
    collate = stack_samples if ours else pseudo_collate
    pin = device.startswith('cuda')
    loader: DataLoader = DataLoader(
        samples,
        len(samples),
        collate_fn=collate,
        pin_memory=pin,
    )
    (batch,) = loader
    return batch


def _build_student(cfg: Config, case: Case, options: Sequence[str]) -> SCTSegmentor:
    model = ConfigDict(without(cfg.model.to_dict(), ('init_cfg', 'pretrained')))
    model.data_preprocessor.size = case.size
    model.train_cfg = {
        'shortcuts': case.backend.startswith(SHORTCUTS),
        'channels_last': 'channels_last' in options,
        'compile': 'compile' in options,
    }
    return MODELS.build(model).train()
