"""What ``tools/train.py`` and ``tools/test.py`` do, callable from Python too."""

import argparse
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmseg.registry import DATASETS

from .catalog import load_config
from .errors import ConfigError, DataError, OutputError, SCTNetError

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def run_tool(main: Callable[[], Any]) -> None:
    """Run a tool's ``main``; print an expected error as one line, exit with 2."""
    # Said by mmseg of its own code and of a choice that our configs make on purpose.
    warnings.filterwarnings('ignore', message='``build_loss`` would be deprecated')
    warnings.filterwarnings('ignore', message='Default ``avg_non_ignore`` is False')
    try:
        status = main()
    except SCTNetError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit('interrupted')
    sys.exit(status or 0)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that training and testing share, in mmseg's spelling."""
    parser.add_argument('config', help='path, leaf name or short name of a config')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints')
    parser.add_argument(
        '--data-root', help='folder of the data set, for all three loaders'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config, e.g. train_dataloader.batch_size=4',
    )
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none'
    )
    # torch.distributed.launch passes one spelling or the other by its version.
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)


def prepare_config(args: argparse.Namespace) -> Config:
    """Turn parsed arguments into the config that the Runner takes.

    Raises:
        ConfigError: there is no such config.
        OutputError: the work folder cannot be written.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config)
    cfg.launcher = args.launcher
    cfg.merge_from_dict(args.cfg_options)
    data_root = args.data_root or args.cfg_options.get('data_root')
    if data_root:
        set_data_root(cfg, data_root)
    name = Path(cfg.filename or 'sctnet').stem
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs') / name)
    _make_writable(Path(cfg.work_dir))
    join_cpu_processes(cfg)
    return cfg


def join_cpu_processes(cfg: Config) -> None:
    """Start gloo where torchrun launched several processes without a GPU.

    mmengine's own start sets a CUDA device in any case.

    Raises:
        ConfigError: the model has SyncBN layers, which torch has for GPUs only.
    """
    if cfg.launcher == 'pytorch' and not torch.cuda.is_available():
        if "'SyncBN'" in repr(cfg.model):
            raise ConfigError(
                'several processes without a GPU cannot use SyncBN: set '
                'norm_cfg.type=BN for backbone and heads with --cfg-options, or start '
                'one process'
            )
        torch.distributed.init_process_group('gloo')
        cfg.model_wrapper_cfg = {
            'type': 'MMDistributedDataParallel',
            'broadcast_buffers': False,
            'device_ids': None,
        }


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, 'no permission to write')
    except OSError as error:
        raise OutputError(
            f"work folder '{folder}' cannot be written ({error.strerror}): name "
            'another with --work-dir'
        ) from error


def _datasets(cfg: Config, loaders: Iterable[str]) -> Iterator[ConfigDict]:
    """Every leaf data set config of ``loaders``, inside wrappers too."""
    pending = [cfg[name].dataset for name in loaders if cfg.get(name)]
    while pending:
        dataset = pending.pop(0)
        inner = dataset.get('dataset') or dataset.get('datasets')
        if inner:
            pending += inner if isinstance(inner, list) else [inner]
        else:
            yield dataset


def set_data_root(cfg: Config, data_root: str) -> None:
    """Point every data set of ``cfg`` to ``data_root``.

    Changing the name ``data_root`` alone does not reach the loaders, which were built
    from its old value when the config was read.
    """
    cfg.data_root = data_root
    for dataset in _datasets(cfg, LOADERS):
        dataset.data_root = data_root


def check_data(cfg: Config, loaders: Iterable[str]) -> None:
    """See that the folders and at least one file that ``loaders`` will read exist.

    Raises:
        DataError: one does not; the message names what was looked for.
    """
    for dataset in _datasets(cfg, loaders):
        cls = dataset.type
        cls = DATASETS.get(cls) if isinstance(cls, str) else cls
        defaults = inspect.signature(cls.__init__).parameters
        for prefix, suffix_name in (
            ('img_path', 'img_suffix'),
            ('seg_map_path', 'seg_map_suffix'),
        ):
            folder = dataset.get('data_prefix', {}).get(prefix)
            suffix = dataset.get(suffix_name)
            if suffix is None and suffix_name in defaults:
                suffix = defaults[suffix_name].default
            if folder:
                _check_folder(dataset.get('data_root') or '', folder, suffix or '')


def _check_folder(data_root: str, folder: str, suffix: str) -> None:
    place = Path(data_root) / folder
    if not place.is_dir():
        problem = f"data root '{data_root}' has no folder '{folder}'"
    elif not any(
        name.endswith(suffix) for _, _, names in os.walk(place) for name in names
    ):
        problem = f"'{place}' has no file named *{suffix}"
    else:
        return
    hint = ', or make synthetic street scenes with tools/make_street_scenes.py'
    if suffix.endswith('_labelTrainIds.png') and place.is_dir():
        hint = ', and make the label maps with its own scripts (README, Data)'
    hint = hint if 'gtFine' in folder or 'leftImg8bit' in folder else ''
    raise DataError(
        f"{problem} (looked for '{place}/**/*{suffix}'): put the data set there or "
        f'name its folder with --data-root{hint}'
    )


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision with mmengine's ``AmpOptimWrapper``.

    Raises:
        ConfigError: the config has an optimizer wrapper of its own kind, or there is
            no GPU.
    """
    if not torch.cuda.is_available():
        raise ConfigError(
            '--amp needs a GPU, which mmengine found none of: drop --amp, or check '
            'that torch.cuda.is_available() says True'
        )
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    kind = kind if isinstance(kind, str) else kind.__name__
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(
            f'--amp does not go with optim_wrapper.type={kind}: use OptimWrapper, or '
            'drop --amp'
        )
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def set_resume(cfg: Config, resume: str | None) -> None:
    """Resume from a named checkpoint, or, for ``'auto'``, the work folder's newest."""
    if resume is None:
        return
    cfg.resume = True
    cfg.load_from = None if resume == 'auto' else resume


def enable_tta(cfg: Config) -> None:
    """Test with the config's ``tta_pipeline``: several scales, and flipped.

    Raises:
        ConfigError: the config has no test-time augmentation.
    """
    if 'tta_model' not in cfg or 'tta_pipeline' not in cfg:
        raise ConfigError(
            f"--tta needs tta_model and tta_pipeline in '{cfg.filename}': inherit a "
            'data set base of sctnet, or drop --tta'
        )
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.tta_model.module = cfg.model
    cfg.model = cfg.tta_model


def draw_results(cfg: Config, show_dir: str) -> None:
    """Write a picture of every tested image, labels beside prediction."""
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    cfg.visualizer.save_dir = show_dir
