"""What must be right on a GPU: losses, gradients, steps, label maps, resuming."""

import tempfile
from functools import partial
from pathlib import Path

import torch
from gpu_place import Facts, Place, quietly
from small_training import TEACHER, save_teacher_of, small_config
from torch import Tensor
from torch.nn import functional as F

from sctnet.benchmark.case import READABLE, SHORTCUTS, Case
from sctnet.benchmark.training import TrainingStep
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import enable_amp, set_resume
from sctnet.engine.runner import Runner
from sctnet.prediction import label_map as maps
from sctnet.weights.safe_files import read_checkpoint

WAYS = (SHORTCUTS, READABLE)
# Of losses and of gradients. float32 on an H100: 2e-6 and 3e-3 (in the first stages,
# where float32 on a CPU is as far off); of the others only that nothing is broken.
LIMITS = {'float32': (1e-4, 2e-2), 'tf32': (1e-2, 0.5)}
ROUGH = (5e-2, 1.5)
LOGITS = {  # classes, and the sizes of the logits, of the network's input, of the image
    'ade': (150, (64, 96), (512, 768), (1000, 1500)),
    'city': (19, (64, 128), (512, 1024), (1024, 2048)),
    'city, Seg100': (19, (128, 256), (1024, 2048), (1024, 2048)),
}


def losses(place: Place) -> Facts:
    """Compare losses and gradients with float64 on a CPU, both ways, each precision."""
    size = place.pick((128, 256), (64, 64))
    step = _step(SHORTCUTS, size, 'cpu')
    step.student.double().teacher.double()
    expected = _losses_and_gradients(step)
    kinds: dict[str, torch.dtype | None] = {'float32': None, 'bfloat16': torch.bfloat16}
    if place.gpu:
        kinds |= {'tf32': None, 'float16': torch.float16}
    for way in WAYS:
        step = _step(way, size, place.device)
        for kind, dtype in kinds.items():
            torch.backends.cudnn.allow_tf32 = kind != 'float32'
            found = _losses_and_gradients(step, dtype)
            off = [
                {name: _off(value, theirs[name]) for name, value in ours.items()}
                for ours, theirs in zip(found, expected, strict=True)
            ]
            pairs = zip(off, LIMITS.get(kind, ROUGH), strict=True)
            fine = all(max(errors.values()) <= limit for errors, limit in pairs)
            yield {'case': f'{way} {kind}', 'off': off, 'ok': fine}
    torch.backends.cudnn.allow_tf32 = True


def _step(way: str, size: tuple[int, int], device: str, batch: int = 2) -> TrainingStep:
    """Build a training step without dropped paths, whose random numbers differ."""
    case = Case('sctnet-s-seg50', way, batch, size)
    step = quietly(TrainingStep, case, device)
    for module in step.student.modules():
        if hasattr(module, 'drop_prob'):
            module.drop_prob = 0.0
    return step


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


def optimizer(place: Place) -> Facts:
    """Take 30 steps on one batch, both ways, with and without mixed precision."""
    count, size, limit = place.pick((30, (256, 512), 0.01), (2, (64, 64), 0.5))
    ends: list[float] = []
    for way in (*WAYS, f'{SHORTCUTS}+amp', f'{READABLE}+amp'):
        step = _step(way, size, place.device, place.pick(4, 2))
        for _ in range(count):
            log = step.student.train_step(dict(step.batch), step.optim_wrapper)
        ends.append(log['loss'].item())
        fine = abs(ends[-1] / ends[0] - 1) < limit
        yield {'case': way, 'loss': ends[-1], 'ok': fine}


def labels(place: Place) -> Facts:
    """Compare label maps with mmseg's upsampling and argmax, and time both."""
    small = {'ade': (150, (16, 20), (128, 160), (150, 200))}
    for name, (classes, size, network, image) in place.pick(LOGITS, small).items():
        torch.manual_seed(0)
        logits = F.interpolate(torch.randn(1, classes, 4, 7), size, mode='bicubic')[0]
        logits = logits.to(place.device)
        geometry = maps.Geometry(network, (0, 0, 0, 0), image)
        ours = partial(maps.label_map, logits, geometry)
        mmsegs = partial(maps.full_logits, logits, geometry)
        best = mmsegs().topk(2, dim=0).values
        wrong = ours() != mmsegs().argmax(0)
        margin = float(((best[0] - best[1]) * wrong).max() / logits.std())
        facts = {'case': name, 'unequal_pixels': int(wrong.sum()), 'margin': margin}
        kernel = logits.device.type not in maps._broken  # else it gave way to mmseg's
        facts |= {'kernel': kernel, 'ok': margin < 1e-4 and kernel}
        facts['label_map_ms'] = place.milliseconds(ours)
        yield {**facts, 'full_logits_ms': place.milliseconds(mmsegs)}


def resume(place: Place) -> Facts:
    """Train with --amp, and once more from the middle on.

    On a GPU two equal trainings may differ; the resumed one may not differ much more.
    """
    count = place.pick(20, 2)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_street_scenes(root / 'data', num_train=4, num_val=1, size=(256, 128))
        save_teacher_of(root / 'teacher.pth', TEACHER)
        whole = _train(root, 'whole', count)
        again = _train(root, 'again', count) if place.gpu else whole
        middle = root / 'whole' / f'iter_{count // 2}.pth'
        resumed = _train(root, 'resumed', count, str(middle))
    twice, after = (
        max(_off(w, whole[k]) for k, w in x.items()) for x in (again, resumed)
    )
    yield {'two_alike_off': twice, 'resumed_off': after, 'ok': after <= 10 * twice}


def _train(
    root: Path, name: str, count: int, checkpoint: str | None = None
) -> dict[str, Tensor]:
    """Train for ``count`` iterations, from ``checkpoint`` on if there is one."""
    options = {'default_hooks.checkpoint.interval': count // 2, 'log_level': 'ERROR'}
    where = (root / 'data', root / name, root / 'teacher.pth', options)
    cfg = small_config(*where, iterations=count)
    set_resume(cfg, checkpoint)
    enable_amp(cfg)
    runner = quietly(Runner.from_cfg, cfg)
    quietly(runner.train)
    return read_checkpoint(root / name / f'iter_{count}.pth')['state_dict']
