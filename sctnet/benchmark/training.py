"""The benchmark of a training step of a student and its teacher."""

import copy
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.datasets import BaseSegDataset
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from ..catalog import load_config
from ..datasets.street_scenes.dataset import render_street_scene
from ..engine.distillation_hook import build_teacher_segmentor
from ..engine.launch import distillation_hook, enable_amp
from ..errors import ArgumentError
from ..models import SCTSegmentor, Teacher
from .case import (
    IMAGE_SIZES,
    LOADER,
    SHORTCUTS,
    TEACHER_OPTIONS,
    Case,
    Contender,
    parse_way,
)
from .models import Entry, entries, without
from .stopwatch import Piece, Stopwatch

STAGES = ('teacher', 'student', 'SIAM', 'heads', 'backward', 'optimizer', 'rest')
STUDENTS = ('sctnet-s-ade', 'sctnet-b-ade', 'sctnet-s-seg50')  # where none is named
SCENES = 8  # that a loader reads
SUFFIXES = {'Cityscapes': '.png'}  # elsewhere JPEG
IGNORED = 0.1  # share of labels


def training_cases(
    models: Sequence[Entry],
    ways: Sequence[str],
    batches: Sequence[int],
    sizes: Sequence[tuple[int, int]],
    device: str,
) -> list[Case]:
    """Combine what the command line names; what it leaves out is the recipe's.

    Raises:
        ArgumentError: a model is no student of ours, or a batch is too small.
    """
    if batches and min(batches) < 2:
        raise ArgumentError(
            f'--batch is {min(batches)}: expected at least 2, for the batch norms'
        )
    cases = []
    for entry in models or [entries()[name] for name in STUDENTS]:
        cfg = load_config(entry.config)
        if 'siam' not in cfg.model:
            raise ArgumentError(
                f"'{entry.name}' has no teacher to train with: choose a student of "
                f'ours, such as {STUDENTS[0]}'
            )
        batch = cfg.train_dataloader.batch_size if device.startswith('cuda') else 2
        combined = itertools.product(sizes or [cfg.crop_size], batches or [batch], ways)
        cases += [Case(entry.name, way, n, size) for size, n, way in combined]
    return cases


def training_contender(case: Case, device: str) -> Contender:
    """Prepare training steps: images in bytes to updated weights, by a Runner's parts.

    Student and teacher have random weights; images and labels are noise. The way
    ``loader`` loads batches instead, from files.

    Raises:
        ArgumentError: the way to train is not known.
    """
    if case.backend == LOADER:
        return Contender(_Loading(case), None, case.size)
    step = TrainingStep(case, device)
    watch = Stopwatch(step, step.pieces(), STAGES, device)
    return Contender(watch, None, case.size, watch, loss=lambda: step.first_loss)


class TrainingStep:
    """A student, its teacher, an optimizer and a batch; a call is an iteration."""

    def __init__(self, case: Case, device: str) -> None:
        options = parse_way(case.backend)
        entry = entries()[case.model]
        cfg = copy.deepcopy(load_config(entry.config))
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
            samples = [self._draw_sample(case.size) for _ in range(case.batch)]
        images, labels = zip(*samples, strict=True)
        self.batch = {'inputs': list(images), 'data_samples': list(labels)}
        self.optim_wrapper = build_optim_wrapper(self.student, cfg.optim_wrapper)
        self.first_loss: float | None = None

    def _draw_sample(self, size: tuple[int, int]) -> tuple[Tensor, SegDataSample]:
        labels = torch.randint(0, self.student.num_classes, (1, *size))
        labels[torch.rand(labels.shape) < IGNORED] = 255
        image = torch.randint(0, 256, (3, *size), dtype=torch.uint8)
        return image, SegDataSample(gt_sem_seg=PixelData(data=labels))

    def __call__(self) -> None:
        """Train one iteration."""
        if self.first_loss is None:
            torch.manual_seed(0)  # of dropped paths, so that all ways begin alike
        log = self.student.train_step(dict(self.batch), self.optim_wrapper)
        self.first_loss = self.first_loss or log['loss'].item()

    def pieces(self) -> list[Piece]:
        """Name what an iteration goes through."""
        return [
            Piece(self.student, '_teach', 'teacher'),
            Piece(self.student, '_extract_for_training', 'student'),
            Piece(self.student, '_align', 'SIAM'),
            Piece(self.student, '_head_losses', 'heads'),
            Piece(self.optim_wrapper, 'backward', 'backward'),
            Piece(self.optim_wrapper, 'step', 'optimizer'),
        ]


def _build_student(cfg: Config, case: Case, options: Sequence[str]) -> SCTSegmentor:
    model = ConfigDict(without(cfg.model.to_dict(), ('init_cfg', 'pretrained')))
    model.data_preprocessor.size = case.size
    model.train_cfg = {
        'shortcuts': case.backend.startswith(SHORTCUTS),
        'channels_last': 'channels_last' in options,
        'compile': 'compile' in options,
    }
    return MODELS.build(model).train()


class _Loading:
    """A batch loaded by a recipe's own pipeline, as in a worker: OpenCV has one thread.

    The images are drawn street scenes in files of the data set's typical size.
    """

    def __init__(self, case: Case) -> None:
        entry = entries()[case.model]
        pipeline = load_config(entry.config).train_dataloader.dataset.pipeline
        for step in pipeline:
            if 'crop_size' in step:
                step.crop_size = case.size
        dataset = entry.published.dataset
        size, suffix = IMAGE_SIZES[dataset][0], SUFFIXES.get(dataset, '.jpg')
        self.folder = tempfile.TemporaryDirectory()  # removed with this object
        _write_scenes(Path(self.folder.name), size, suffix)
        init_default_scope('mmseg')
        self.dataset = BaseSegDataset(
            data_root=self.folder.name,
            data_prefix={'img_path': 'images', 'seg_map_path': 'labels'},
            img_suffix=suffix,
            seg_map_suffix='.png',
            pipeline=pipeline,
        )
        self.indices = itertools.cycle(range(SCENES))
        self.batch = case.batch

    def __call__(self) -> None:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        try:
            pseudo_collate(
                [self.dataset[next(self.indices)] for _ in range(self.batch)]
            )
        finally:
            cv2.setNumThreads(threads)


def _write_scenes(root: Path, size: tuple[int, int], suffix: str) -> None:
    for name in ('images', 'labels'):
        (root / name).mkdir()
    for seed in range(SCENES):
        image, labels = render_street_scene(seed, 1024, 512)
        resized = cv2.resize(image, size[::-1])
        cv2.imwrite(str(root / 'images' / f'{seed}{suffix}'), resized)
        resized = cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(root / 'labels' / f'{seed}.png'), resized)
