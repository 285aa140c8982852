"""What a training step costs on a GPU: time, memory, operations, the largest batch."""

import statistics
from collections.abc import Callable, Mapping
from functools import partial

import torch

from ...catalog import load_config
from ..case import READABLE, SHORTCUTS, Case
from ..operations import count_operations
from ..stopwatch import Stopwatch
from ..training import STAGES, TrainingStep
from .place import Facts, Place, Task, Tasks, convolutions, quietly

WAYS = [
    *(READABLE, SHORTCUTS, f'{READABLE}+amp', f'{SHORTCUTS}+amp'),
    f'{SHORTCUTS}+amp+channels_last',
]
MODELS: Mapping[str, list[str]] = {
    'sctnet-s-seg50': WAYS,
    'sctnet-s-ade': WAYS[:4],
    'sctnet-b-seg100': WAYS,
    'sctnet-b-ade': WAYS[2:4],
}
SMALL: Mapping[str, list[str]] = {'sctnet-t-streets': [READABLE, f'{SHORTCUTS}+amp']}
LARGEST = 'sctnet-b-seg100'
CEILING = 1024  # of a batch that is tried


def case_of(place: Place, model: str, way: str, batch: int | None = None) -> Case:
    """Name a step at the recipe's batch and crop, or of two small images."""
    cfg = load_config(model)
    own = batch or cfg.train_dataloader.batch_size
    return Case(model, way, place.pick(own, 2), place.pick(cfg.crop_size, (64, 64)))


def steps(place: Place) -> Tasks:
    """Time a step at the recipe's batch, whole and by stages, and take its memory."""
    for model, ways in place.pick(MODELS, SMALL).items():
        for way in ways:
            case = case_of(place, model, way)
            with convolutions(place, tf32=True):
                yield Task(str(case), 20, partial(_measure, place, case))


def _measure(place: Place, case: Case) -> Facts:
    step = quietly(TrainingStep, case, place.device)
    for _ in range(place.pick(3, 1)):
        step()
    place.peak_mib()
    seconds = place.seconds_of(step, place.pick(8, 1))
    peak = place.peak_mib()
    # Each stage waits for the one before it: that time is not the step's.
    watch, rows = Stopwatch(step, step.pieces(), STAGES, place.device), []
    for _ in range(place.pick(4, 1)):
        watch()
        rows.append(watch.seconds)
    stages = {name: statistics.median(row[name] for row in rows) for name in STAGES}
    return {
        'in_a_row_ms': round(1e3 * seconds, 2),
        'images_a_second': round(case.batch / seconds, 1),
        'peak_mib': peak,
        'stages_ms': {name: round(1e3 * x, 2) for name, x in stages.items()},
    }


def operations(place: Place) -> Tasks:
    """Count the operations of an iteration of SCTNet-T with its teacher, batch 8."""
    for way in (f'{READABLE}+amp', f'{SHORTCUTS}+amp'):
        # Small enough for a CPU, where the count is the same.
        case = Case('sctnet-t-streets', way, 8, (128, 256))
        yield Task(str(case), 10, partial(_count, place, case))


def _count(place: Place, case: Case) -> Facts:
    step = quietly(TrainingStep, case, place.device)
    step()  # the first makes the optimizer's state
    found = count_operations(step)
    return {'operations': found.total(), 'most': dict(found.most_common(12))}


def largest_batch(place: Place) -> Tasks:
    """Search for the largest batch of the recipe's crop that a step fits with."""
    model = place.pick(LARGEST, 'sctnet-t-streets')
    for way in (f'{SHORTCUTS}+amp', f'{READABLE}+amp'):
        case = case_of(place, model, way, batch=1)
        with convolutions(place, tf32=True, search=False):
            yield Task(f'{model} {way}', 60, partial(_search, place, case))


def _search(place: Place, case: Case) -> Facts:
    step = quietly(TrainingStep, case, place.device)
    fits = partial(_fits, place, step)
    return {'images': largest(fits, place.pick(CEILING, 2))}


def _fits(place: Place, step: TrainingStep, batch: int) -> bool:
    """Try two steps, the second with the first one's leftovers around."""
    step.take_images(batch)
    try:
        step()
        step()
    except torch.OutOfMemoryError:
        step.optim_wrapper.zero_grad()
        return False
    finally:
        place.free()
    return True


def largest(fits: Callable[[int], bool], ceiling: int) -> int:
    """Return the largest power of two that fits, or that plus a half, up to a ceiling.

    A batch of 1 is not tried: batch norms want two images. 0 where not even 2 fit.
    """
    batch = 2
    while batch <= ceiling and fits(batch):
        batch *= 2
    found = batch // 2
    if found >= 2 and batch <= ceiling and fits(found + found // 2):
        return found + found // 2
    return found if found > 1 else 0
