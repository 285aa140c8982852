"""Is a training that goes on from its middle the one that was never interrupted?"""

import uuid
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from ...catalog import load_config, merge_options
from ...datasets.street_scenes import write_street_scenes
from ...engine.distillation_hook import build_teacher_segmentor
from ...engine.launch import (
    distillation_hook,
    enable_amp,
    set_data_root,
    set_resume,
    set_teacher,
)
from ...engine.runner import Runner
from ...files import temporary_folder
from ...weights.safe_files import read_checkpoint
from .place import Facts, Place, Task, Tasks, quietly

MODEL = 'sctnet-t-streets'


def resume(place: Place) -> Tasks:
    """Train with ``--amp``, and once more from the middle on.

    On a GPU two equal trainings may differ; the resumed one may not differ much more.
    """
    yield Task(f'{MODEL}, --amp', 60, partial(_compare, place))


def _compare(place: Place) -> Facts:
    count = place.pick(20, 2)
    with temporary_folder() as root:
        write_street_scenes(root / 'data', num_train=2, num_val=1, size=(256, 128))
        whole = _train(place, root, 'whole', count)
        again = _train(place, root, 'again', count) if place.gpu else whole
        middle = root / 'whole' / f'iter_{count // 2}.pth'
        resumed = _train(place, root, 'resumed', count, str(middle))
    twice, after = (_largest_difference(other, whole) for other in (again, resumed))
    return {
        'iterations': count,
        'of_two_alike_off': twice,
        'of_resumed_off': after,
        'ok': after <= 10 * twice,
    }


def _largest_difference(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """Return the largest of all weights, as a part of the weight's norm."""
    return max(
        float((ours[k].double() - x.double()).norm() / x.double().norm().clamp_min(1))
        for k, x in theirs.items()
    )


def _train(
    place: Place, root: Path, name: str, count: int, checkpoint: str | None = None
) -> dict[str, Tensor]:
    """Train for ``count`` iterations, from ``checkpoint`` on if there is one."""
    cfg = _config(place, root, root / name, count)
    set_resume(cfg, checkpoint)
    enable_amp(cfg, place.gpu)
    quietly(quietly(Runner.from_cfg, cfg).train)
    return read_checkpoint(root / name / f'iter_{count}.pth')['state_dict']


def _config(place: Place, root: Path, work_dir: Path, count: int) -> Config:
    """Return the recipe for a few iterations on ``root / 'data'``, with a teacher."""
    cfg = load_config(MODEL)
    set_data_root(cfg, str(root / 'data'))
    set_teacher(cfg, str(_teacher_file(cfg, root / 'teacher.pth')))
    cfg.work_dir = str(work_dir)
    # mmengine shares log and visualizer between Runners of the same name.
    cfg.experiment_name = cfg.visualizer.name = uuid.uuid4().hex
    options = {
        'train_cfg': {'max_iters': count, 'val_interval': count + 1},
        'default_hooks.checkpoint.interval': count // 2,
        'log_level': 'ERROR',
        'randomness': {'seed': 0},
        'param_scheduler.0.warmup_iters': 0,  # which would move next to nothing
        'custom_hooks.0.sanity_images': 0,  # the teacher's weights are random
    }
    if place.small:
        options |= _small_options(cfg)
    merge_options(cfg, options)
    return cfg


def _small_options(cfg: Config) -> dict[str, Any]:
    """Make images a quarter of the recipe's, and return what else is smaller."""
    for part in (cfg.train_dataloader, cfg.val_dataloader):
        for step in part.dataset.pipeline:
            for name, value in (('scale', (128, 64)), ('crop_size', (64, 64))):
                if name in step:
                    step[name] = value
    in_process = {'num_workers': 0, 'persistent_workers': False}
    loaders = [f'{name}_dataloader' for name in ('train', 'val', 'test')]
    return {
        'train_dataloader.batch_size': 2,
        'model.data_preprocessor.size': (64, 64),
        **{f'{x}.{key}': value for x in loaders for key, value in in_process.items()},
    }


def _teacher_file(cfg: Config, path: Path) -> Path:
    """Write a teacher's random weights once, as mmseg would have them."""
    if not path.exists():
        torch.manual_seed(0)
        teacher = build_teacher_segmentor(distillation_hook(cfg).teacher)
        torch.save({'meta': {}, 'state_dict': teacher.state_dict()}, path)
    return path
