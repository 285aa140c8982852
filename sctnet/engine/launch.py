"""What ``sctnet train`` and ``sctnet test`` do with a config, one function a step."""

import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict

from ..catalog import load_config, merge_options
from ..compat.config_types import kind_of
from ..datasets.faster_loader import set_store_root
from ..datasets.from_config import datasets_of, named_datasets
from ..errors import ConfigError
from ..files import check_writable
from ..weights.safe_files import read_checkpoint
from ..weights.segmentor_files import find_segmentor
from .check_bands import check_band_order
from .check_names import check_names
from .checkpoint_hook import check_resumable, newest_checkpoint
from .distillation_hook import find_teacher
from .distributed import join_cpu_processes
from .training_length import settle_length


def prepare_config(
    config: str,
    work_dir: str | None = None,
    data_root: str | None = None,
    cfg_options: dict[str, Any] | None = None,
    launcher: str = 'none',
    local_rank: int = 0,
) -> Config:
    """Turn the arguments of a command into the config that the Runner takes.

    Raises:
        ConfigError: there is no such config, or it names what is not there.
        OutputError: the work folder cannot be written.
    """
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    options = cfg_options or {}
    cfg = load_config(config)
    cfg.launcher = launcher
    merge_options(cfg, options)
    settle_length(cfg, options)
    check_names(cfg)
    data_root = data_root or options.get('data_root')
    if data_root:
        set_data_root(cfg, data_root)
    name = Path(cfg.filename or 'sctnet').stem
    cfg.work_dir = work_dir or cfg.get('work_dir') or str(Path('work_dirs') / name)
    check_writable(cfg.work_dir, '--work-dir')
    join_cpu_processes(cfg)
    return cfg


def set_data_root(cfg: Config, data_root: str) -> None:
    """Point every data set of ``cfg`` to ``data_root``.

    Changing the name ``data_root`` alone does not reach the loaders, which were built
    from its old value when the config was read.

    Raises:
        ConfigError: they have different roots, which one folder cannot replace.
    """
    places: dict[str, str] = {}
    for place, dataset in named_datasets(cfg).items():
        places.setdefault(str(dataset.get('data_root')), f'{place}.data_root')
    if len(places) > 1:
        named = ' and '.join(f'{key}={root}' for root, key in places.items())
        raise ConfigError(
            f'the data sets of this config have {len(places)} roots, and --data-root '
            f'names one: set each with --cfg-options, as in {named}'
        )
    cfg.data_root = data_root
    for dataset in datasets_of(cfg):
        dataset.data_root = data_root
        set_store_root(dataset)


def distillation_hook(cfg: Config) -> ConfigDict:
    """Return the config of the ``DistillationHook``; raises ConfigError without one."""
    hook = _find_hook(cfg)
    if hook is None:
        raise ConfigError(
            f"'{cfg.filename}' has no DistillationHook for --teacher: add one to its "
            'custom_hooks, or drop --teacher'
        )
    return hook


def _find_hook(cfg: Config) -> ConfigDict | None:
    hooks = cfg.get('custom_hooks') or []
    return next((hook for hook in hooks if kind_of(hook) == 'DistillationHook'), None)


def set_teacher(cfg: Config, checkpoint: str) -> None:
    """Name the weights of the teacher: a file, a URL or the folder of its training."""
    distillation_hook(cfg).checkpoint = checkpoint


def check_teacher(cfg: Config) -> None:
    """See that the teacher has weights, if the student of ``cfg`` is to learn from one.

    Raises:
        CheckpointError: none are named, or they are not there.
    """
    siam = cfg.model.get('siam') or {}
    hook = _find_hook(cfg)
    if hook is not None and (siam.get('bfa') or siam.get('sdha')):
        find_teacher(hook.get('teacher'), hook.get('checkpoint'))


def enable_amp(cfg: Config, on_gpu: bool | None = None) -> None:
    """Train in mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Args:
        cfg: the config, which is changed.
        on_gpu: where it will run; None asks torch.

    Raises:
        ConfigError: the config has an optimizer wrapper of its own kind.
    """
    kind = kind_of(cfg.optim_wrapper) or 'OptimWrapper'
    if kind == 'BFloat16OptimWrapper':
        return
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(
            f'--amp does not go with optim_wrapper.type={kind}: use OptimWrapper, or '
            'drop --amp'
        )
    if not (torch.cuda.is_available() if on_gpu is None else on_gpu):
        # By name: mmengine cannot print a class that was put into a config later.
        cfg.optim_wrapper.type = 'BFloat16OptimWrapper'
        for option in ('loss_scale', 'dtype'):
            cfg.optim_wrapper.pop(option, None)
        return
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def set_resume(cfg: Config, resume: str | None) -> None:
    """Resume from a checkpoint, or the newest in a folder; ``'auto'``: work folder.

    Raises:
        CheckpointError: the file, or every one in the folder, cannot be read or is
            not of a training.
    """
    if resume is None:
        return
    if resume == 'auto' or os.path.isdir(resume):
        folder = cfg.work_dir if resume == 'auto' else resume
        found = newest_checkpoint(folder)
        if found is None:
            print(f"'{folder}' has no checkpoint: starting from the beginning")
            return
        resume = found
    elif '://' not in resume:
        check_resumable(resume)
    cfg.resume = True
    cfg.load_from = resume


def set_start(cfg: Config, start: str | None, resume: str | None = None) -> None:
    """Start from the weights ``start``, or those that ``cfg`` names; read them once.

    Args:
        cfg: the config, which is changed.
        start: a file, a URL or a work folder; None leaves the config's ``load_from``.
        resume: what is to be resumed, if anything, which does not go with ``start``.

    Raises:
        CheckpointError: they cannot be read.
        ConfigError: a training would be resumed too.
    """
    if start and (resume or cfg.get('resume')):
        raise ConfigError(
            '--from starts a new training from weights and --resume goes on with an '
            'interrupted one: give one of the two'
        )
    start = start or cfg.get('load_from')
    if not start or resume or cfg.get('resume'):
        return
    cfg.load_from = find_segmentor(start)
    if '://' not in cfg.load_from:
        read_checkpoint(cfg.load_from)  # before all the data are looked at


def enable_tta(cfg: Config) -> None:
    """Test with the config's ``tta_pipeline``: several scales, and flipped.

    Raises:
        ConfigError: the config has no test-time augmentation, or names what is not.
    """
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise ConfigError(
            f"--tta needs tta_model and tta_pipeline in '{cfg.filename}': inherit a "
            'data set base of sctnet, or drop --tta'
        )
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    check_band_order(cfg)
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model
    check_names(cfg, ('model', 'test_dataloader'))


def draw_results(cfg: Config, show_dir: str) -> None:
    """Write a picture of every tested image, labels beside prediction."""
    check_writable(show_dir, '--show-dir')
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    cfg.visualizer.save_dir = show_dir


def evaluators_of(cfg: Config) -> list[Any]:
    """Return the evaluators of a test, of which a config names one or a list."""
    named = cfg.test_evaluator
    if isinstance(named, dict) and 'metrics' in named:
        named = named['metrics']
    return list(named) if isinstance(named, list | tuple) else [named]
