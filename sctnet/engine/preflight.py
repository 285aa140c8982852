"""What is looked at before a run starts, so that it does not fail an hour later."""

import inspect
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmseg.registry import DATASETS

from ..cli.explain_errors import config_errors
from ..compat.config_types import kind_of
from ..errors import ConfigError, DataError

MAX_BROKEN_SHARE = 0.05  # of the training files, that a training leaves out
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def datasets_of(cfg: Config, loaders: Iterable[str]) -> Iterator[ConfigDict]:
    """Yield every leaf data set config of ``loaders``, inside wrappers too."""
    pending = [cfg[name].dataset for name in loaders if cfg.get(name)]
    while pending:
        dataset = pending.pop(0)
        inner = dataset.get('dataset') or dataset.get('datasets')
        if inner:
            pending += inner if isinstance(inner, list) else [inner]
        else:
            yield dataset


@config_errors
def check_data(cfg: Config, loaders: Iterable[str]) -> None:
    """See that the folders and at least one file that ``loaders`` will read exist.

    Raises:
        DataError: one does not; the message names what was looked for.
    """
    for dataset in datasets_of(cfg, loaders):
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
                several = isinstance(suffix, tuple | list)
                ends = suffix if several else [suffix or '']
                _check_folder(dataset.get('data_root') or '', folder, ends)


def _check_folder(data_root: str, folder: str, suffixes: Sequence[str]) -> None:
    place = Path(data_root) / folder
    ends = tuple(suffix.lower() for suffix in suffixes)
    if not os.path.isdir(place):
        problem = f"data root '{data_root}' has no folder '{folder}'"
    elif not any(
        name.lower().endswith(ends)
        for _, _, names in os.walk(place, followlinks=True)
        for name in names
    ):
        problem = f"'{place}' has no file named *{' or *'.join(suffixes)}"
    else:
        return
    hint = ', or make synthetic street scenes with tools/make_street_scenes.py'
    if suffixes[0].endswith('_labelTrainIds.png') and place.is_dir():
        hint = ', and make the label maps with tools/prepare_dataset.py'
    hint = hint if 'gtFine' in folder or 'leftImg8bit' in folder else ''
    raise DataError(
        f"{problem} (looked for '{place}/**/*{suffixes[0]}'): put the data set there "
        f'or name its folder with --data-root{hint}'
    )


@config_errors
def check_batch_size(cfg: Config) -> None:
    """Refuse one image a batch, which the norm after global pooling cannot train on.

    Raises:
        ConfigError: a batch norm would see a single value per channel.
    """
    processes = int(os.environ.get('WORLD_SIZE', 1))
    synchronised = processes > 1 and "'SyncBN'" in repr(cfg.model)
    batch_norm = "'BN'" in repr(cfg.model) or "'SyncBN'" in repr(cfg.model)
    if kind_of(cfg.model.get('backbone', {})) != 'SCTNet':
        return
    if cfg.train_dataloader.batch_size == 1 and batch_norm and not synchronised:
        raise ConfigError(
            'train_dataloader.batch_size=1 leaves batch norm a single value a channel '
            'after global pooling: set it to 2 or more, or use a norm_cfg such as GN'
        )


def check_broken_share(max_share: Any) -> float:
    """Return ``max_share`` if it is a share; raises :class:`ConfigError`."""
    number = isinstance(max_share, int | float) and not isinstance(max_share, bool)
    if not number or not 0 <= max_share <= 1:
        raise ConfigError(
            f'train_cfg.max_broken_share is {max_share!r}: set it to a number from 0 '
            'to 1'
        )
    return float(max_share)


def is_first_process() -> bool:
    """Whether this is the only process of a run, or the first of several."""
    return int(os.environ.get('RANK', os.environ.get('SLURM_PROCID', 0))) == 0
