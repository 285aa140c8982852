"""What must be right on a GPU: losses, gradients, steps under AMP, label maps."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ...models import Teacher
from ...prediction import label_map as maps
from ..case import READABLE, SHORTCUTS, Case
from ..training import TrainingStep
from .place import Facts, Place, Task, Tasks, convolutions, quietly

MODEL, SMALL = 'sctnet-s-seg50', 'sctnet-t-streets'
WAYS = (SHORTCUTS, READABLE)
PRECISIONS: dict[str, torch.dtype | None] = {
    'fp32': None,
    'tf32': None,
    'bf16': torch.bfloat16,
    'fp16': torch.float16,
}
# Of losses and of gradients. float32 on an H100: 2e-6 and 3e-3 (in the first stages,
# where float32 on a CPU is as far off); of the others only that nothing is broken.
LIMITS = {'fp32': (1e-4, 2e-2), 'tf32': (1e-2, 0.5)}
ROUGH = (5e-2, 1.5)
LOGITS = {  # classes, and the sizes of the logits, of the network's input, of the image
    'Seg50': (19, (64, 128), (512, 1024), (1024, 2048)),
    'Seg100': (19, (128, 256), (1024, 2048), (1024, 2048)),
    'ADE20K': (150, (64, 96), (512, 768), (1000, 1500)),
    'COCO-Stuff': (171, (80, 80), (640, 640), (480, 640)),
}


def parity(place: Place) -> Tasks:
    """Compare a step with float64 on a CPU, both ways, in each precision."""
    size = place.pick((128, 256), (64, 64))
    model = place.pick(MODEL, SMALL)
    step = _step(Case(model, SHORTCUTS, 2, size), 'cpu')
    step.student.double().teacher.double()
    expected = _losses_and_gradients(step)
    for way in WAYS:
        step = _step(Case(model, way, 2, size), place.device)
        for name in PRECISIONS if place.gpu else ('fp32', 'bf16'):
            compare = partial(_compare, step, name, expected)
            with convolutions(place, tf32=name != 'fp32', search=False):
                yield Task(f'{way} {name}', 10, compare)
    if place.gpu:
        yield Task('teacher replayed', 10, partial(_replay, place, model, size))


def _replay(place: Place, model: str, size: tuple[int, int]) -> Facts:
    """Compare a recorded teacher's features with those of one that runs, by bits."""
    largest = 0.0
    for half in (None, torch.float16, torch.bfloat16):
        step = _step(Case(model, SHORTCUTS, 2, size), place.device)
        segmentor = step.student.teacher.segmentor
        replays, runs = (Teacher(segmentor, graph=graph) for graph in (True, False))
        for seed in range(6):
            torch.manual_seed(seed)
            image = torch.randn(2, 3, *size, device=place.device)
            with torch.autocast('cuda', half, enabled=half is not None):
                pairs = zip(_maps(replays(image)), _maps(runs(image)), strict=True)
                largest = max(largest, *(float((a - b).abs().max()) for a, b in pairs))
            if seed == 2:
                next(replays.parameters()).mul_(1.001)  # is noticed
    return {'largest_difference': largest, 'ok': largest == 0}


def _maps(features: Any) -> list[Tensor]:
    return [*features.stages, *features.decoded, features.std, features.mean]


def _step(case: Case, device: str) -> TrainingStep:
    """Build a training step without dropped paths, whose random numbers differ."""
    step = quietly(TrainingStep, case, device)
    for module in step.student.modules():
        if hasattr(module, 'drop_prob'):
            module.drop_prob = 0.0
    return step


def _compare(step: TrainingStep, precision: str, expected: list[dict]) -> Facts:
    found = _losses_and_gradients(step, PRECISIONS[precision])
    off = [
        {name: _off(value, theirs[name]) for name, value in ours.items()}
        for ours, theirs in zip(found, expected, strict=True)
    ]
    worst = [max(errors.values()) for errors in off]
    limits = LIMITS.get(precision, ROUGH)
    return {
        'largest_loss_off': worst[0],
        'largest_gradient_off': worst[1],
        'off': {**off[0], **off[1]},
        'ok': all(x <= limit for x, limit in zip(worst, limits, strict=True)),
    }


def _losses_and_gradients(
    step: TrainingStep, half: torch.dtype | None = None
) -> list[dict[str, Tensor]]:
    """Return the loss terms, and the gradients of each part as one vector."""
    student, scale = step.student, 1.0 if half is None else 1024.0
    student.zero_grad()
    data = student.data_preprocessor(dict(step.batch), True)
    weight = next(student.parameters())
    data['inputs'] = data['inputs'].to(weight.dtype)
    with torch.autocast(weight.device.type, half, enabled=half is not None):
        terms = student(**data, mode='loss')
    loss, log = student.parse_losses(terms)
    (loss * scale).backward()
    parts: dict[str, list[Tensor]] = {}
    for name, parameter in student.named_parameters():
        part = '.'.join(name.split('.')[: 2 if name.startswith('backbone') else 1])
        parts.setdefault(part, []).append(parameter.grad.double().flatten() / scale)
    gradients = {part: torch.cat(several) for part, several in parts.items()}
    return [{k: v.detach() for k, v in log.items() if 'loss' in k}, gradients]


def _off(ours: Tensor, theirs: Tensor) -> float:
    """Return the norm of the difference as a part of the norm of ``theirs``."""
    a, b = ours.double().cpu(), theirs.double().cpu()
    return float((a - b).norm() / b.norm().clamp_min(1e-30))


def amp(place: Place) -> Tasks:
    """Take 30 steps on one batch, both ways, with and without mixed precision."""
    ends: list[float] = []
    for way in (*WAYS, f'{SHORTCUTS}+amp', f'{READABLE}+amp'):
        yield Task(way, 15, partial(_train, place, way, ends))


def _train(place: Place, way: str, ends: list[float]) -> Facts:
    """Train, and compare the last loss with that of the first way that was tried."""
    count, size, limit = place.pick((30, (256, 512), 0.01), (2, (64, 64), 0.5))
    case = Case(place.pick(MODEL, SMALL), way, place.pick(4, 2), size)
    step = _step(case, place.device)
    losses = []
    for _ in range(count):
        log = step.student.train_step(dict(step.batch), step.optim_wrapper)
        losses.append(log['loss'].item())
    ends.append(losses[-1])
    return {
        'steps': count,
        'first_loss': losses[0],
        'last_loss': losses[-1],
        'ok': abs(ends[-1] / ends[0] - 1) < limit,
    }


def labels(place: Place) -> Tasks:
    """Compare the label maps of our kernels with mmseg's, and time all.

    The kernel of a GPU is Triton's, that of a CPU Numba's; ``torch`` is mmseg's way,
    two resizes and an argmax.
    """
    small = {'ADE20K': (150, (16, 20), (128, 160), (150, 200))}
    for name, (classes, size, network, image) in place.pick(LOGITS, small).items():
        torch.manual_seed(0)
        logits = F.interpolate(torch.randn(1, classes, 4, 7), size, mode='bicubic')[0]
        logits = logits.to(place.device)
        geometry = maps.Geometry(network, (0, 0, 0, 0), image)
        full = maps.full_logits(logits, geometry)
        ways: dict[str, Callable[[], Tensor]] = {
            'torch': partial(_by_torch, logits, geometry),
            'kernel': partial(maps.label_map, logits, geometry),
        }
        if place.gpu:
            ways['kernel of the CPU'] = partial(maps.label_map, logits.cpu(), geometry)
        for way, call in ways.items():
            yield Task(f'{name} {way}', 10, partial(_judge, place, call, full, way))


def _by_torch(logits: Tensor, geometry: maps.Geometry) -> Tensor:
    return maps.full_logits(logits, geometry).argmax(0)


def _judge(place: Place, call: Callable[[], Tensor], full: Tensor, way: str) -> Facts:
    """Time ``call``; where its labels are not the best, another must be as good."""
    best = full.topk(2, dim=0).values
    found = call()
    wrong = found.to(full.device) != full.argmax(0)
    margin = float(((best[0] - best[1]) * wrong).max() / full.std())
    works = way == 'torch' or found.device.type not in maps._broken
    return {
        'unequal_pixels': int(wrong.sum()),
        'margin': margin,
        'ok': margin < 1e-4 and works,  # a kernel that gave way to torch is a fault
        **place.time(call),
    }
