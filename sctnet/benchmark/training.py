"""The third kind of contender: a training step of a student and its teacher."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from ..catalog import load_config
from ..engine.distillation_hook import build_segmentor
from ..engine.launch import distillation_hook, enable_amp
from ..errors import ArgumentError
from ..models import SCTSegmentor, Teacher
from .cases import Case, Contender
from .loading import LOADER, loading_contender
from .peers import Entry, entries, without
from .stages import Piece, Stopwatch

WAYS = ('reference', 'fused', LOADER)
STAGES = ('teacher', 'student', 'SIAM', 'heads', 'backward', 'optimizer', 'rest')
TEACHER_OPTIONS: dict[str, tuple[str, Any]] = {
    'teacher-bf16': ('dtype', 'bf16'),
    'teacher-fp16': ('dtype', 'fp16'),
    'teacher-compile': ('compile', True),
}
OPTIONS = ('amp', 'channels_last', 'compile', *TEACHER_OPTIONS)
ON_A_CPU = (  # what fits and ends there; on a GPU the recipes' own batch and crop
    ('sctnet-s-ade', 2, (512, 512)),
    ('sctnet-b-ade', 2, (256, 256)),
    ('sctnet-s-seg50', 2, (512, 1024)),
)
ON_A_GPU = ('sctnet-s-seg50', 'sctnet-b-seg50', 'sctnet-s-ade', 'sctnet-b-ade')
IGNORED = 0.1  # share of labels
CEILING = 4096  # of a batch that is tried


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
    return [
        Case(model, way, 'kept', batch, size)
        for model, own_batch, own_size in _own(models, device.startswith('cuda'))
        for size in sizes or [own_size]
        for batch in batches or [own_batch]
        for way in ways
    ]


def _own(
    models: Sequence[Entry], on_gpu: bool
) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """Name each model, its batch and its crop."""
    if not models and not on_gpu:
        yield from ON_A_CPU
        return
    for entry in models or [entries()[name] for name in ON_A_GPU]:
        cfg = load_config(entry.config)
        if 'siam' not in cfg.model:
            raise ArgumentError(
                f"'{entry.name}' has no teacher to train with: choose a student of "
                f'ours, such as {ON_A_GPU[0]}'
            )
        batch = cfg.train_dataloader.batch_size if on_gpu else 2
        yield entry.name, batch, cfg.crop_size


def check_way(text: str) -> list[str]:
    """Split ``fused+amp+channels_last`` and return the options.

    Raises:
        ArgumentError: the way or an option is not known.
    """
    way, *options = text.split('+')
    if way not in WAYS:
        raise ArgumentError(
            f"there is no way '{way}' to train: use {', '.join(WAYS)}, or one with "
            'options, as in fused+amp+channels_last'
        )
    if {'teacher-bf16', 'teacher-fp16'} <= set(options):
        raise ArgumentError(f"'{text}': a teacher is in bf16 or in fp16, choose one")
    if options and way == LOADER:
        raise ArgumentError(f"'{text}': the loader has no options, use {LOADER}")
    for option in options:
        if option not in OPTIONS:
            raise ArgumentError(
                f"'{text}' has no option '{option}': expected some of "
                f'{", ".join(OPTIONS)}, as in fused+amp+channels_last'
            )
    return options


def training_contender(case: Case, device: str) -> Contender:
    """Prepare training steps: images in bytes to updated weights, by a Runner's parts.

    Student and teacher have random weights; images and labels are noise. The way
    ``loader`` loads batches instead, from files.

    Raises:
        ArgumentError: the way to train is not known.
    """
    if case.backend == LOADER:
        return loading_contender(case)
    step = TrainingStep(case, device)
    wait = torch.cuda.synchronize if device.startswith('cuda') else lambda: None
    stopwatch = Stopwatch(step, step.pieces(), wait, STAGES)
    return Contender(
        stopwatch,
        None,
        case.size,
        stopwatch,
        loss=lambda: step.first_loss,
        largest_batch=lambda: largest(step.fits),
    )


class TrainingStep:
    """A student, its teacher, an optimizer and a batch; a call is an iteration."""

    def __init__(self, case: Case, device: str) -> None:
        options = check_way(case.backend)
        entry = entries()[case.model]
        cfg = copy.deepcopy(load_config(entry.config))
        if 'amp' in options:
            enable_amp(cfg, device.startswith('cuda'))
        init_default_scope('mmseg')
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.student = _build_student(cfg, case, options).to(device)
            teacher = Teacher(
                build_segmentor(distillation_hook(cfg).teacher),
                **dict(TEACHER_OPTIONS[o] for o in options if o in TEACHER_OPTIONS),
            )
            self.student.attach_teacher(teacher.to(device))
            self.batch = self._draw_batch(case.batch, case.size)
        self.optim_wrapper = build_optim_wrapper(self.student, cfg.optim_wrapper)
        self.first_loss: float | None = None

    def _draw_batch(self, count: int, size: tuple[int, int]) -> dict[str, list]:
        inputs, samples = [], []
        for _ in range(count):
            labels = torch.randint(0, self.student.num_classes, (1, *size))
            labels[torch.rand(labels.shape) < IGNORED] = 255
            samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
            inputs.append(torch.randint(0, 256, (3, *size), dtype=torch.uint8))
        return {'inputs': inputs, 'data_samples': samples}

    def __call__(self) -> None:
        """Train one iteration."""
        if self.first_loss is None:
            torch.manual_seed(0)  # of dropped paths, so that all ways begin alike
        log = self.student.train_step(dict(self.batch), self.optim_wrapper)
        if self.first_loss is None:
            self.first_loss = log['loss'].item()

    def pieces(self) -> list[Piece]:
        """Name what an iteration goes through."""
        names = {
            '_teach': 'teacher',
            '_extract_for_training': 'student',
            '_align': 'SIAM',
            '_head_losses': 'heads',
        }
        return [
            *(Piece(self.student, name, stage) for name, stage in names.items()),
            Piece(self.optim_wrapper, 'backward', 'backward'),
            Piece(self.optim_wrapper, 'step', 'optimizer'),
        ]

    def fits(self, count: int) -> bool:
        """Whether two iterations of ``count`` images fit in the GPU's memory."""
        size = self.batch['inputs'][0].shape[1:]
        self.batch = self._draw_batch(count, size)
        try:
            self()
            self()
        except RuntimeError as error:
            # torch's own error, or one of cuDNN's and cuBLAS's workspaces
            if any(words in str(error) for words in ('out of memory', 'ALLOC_FAILED')):
                return False
            raise
        finally:
            self.student.zero_grad()
            torch.cuda.empty_cache()
        return True


def _build_student(cfg: Config, case: Case, options: Sequence[str]) -> SCTSegmentor:
    model = ConfigDict(without(cfg.model.to_dict(), ('init_cfg', 'pretrained')))
    model.data_preprocessor.size = case.size
    model.train_cfg = {
        'fused': case.backend.startswith('fused'),
        'channels_last': 'channels_last' in options,
        'compile': 'compile' in options,
    }
    return MODELS.build(model).train()


def largest(fits: Callable[[int], bool]) -> int:
    """Return the largest number that ``fits``, or 0; what is smaller must fit too.

    From 2 on: batch norms behind global pooling cannot train on a single image.
    """
    if not fits(2):
        return 0
    good, bad = 2, 4
    while bad <= CEILING and fits(bad):
        good, bad = bad, 2 * bad
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good
