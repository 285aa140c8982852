"""Checks before a run starts: its folders, its batch size."""

import inspect
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmseg.registry import DATASETS

from ..compat.config_types import kind_of
from ..datasets.from_config import datasets_of
from ..errors import ConfigError, DataError


def check_data(cfg: Config, loaders: Iterable[str]) -> None:
    """See that the folders and at least one file that ``loaders`` will read exist.

    What lies elsewhere than on this disk (``backend_args``, URLs) is not looked for.

    Raises:
        DataError: one does not; the message names what was looked for.
    """
    for dataset in datasets_of(cfg, loaders):
        if dataset.get('backend_args') or '://' in str(dataset.get('data_root')):
            continue
        cls = dataset.type
        cls = DATASETS.get(cls) if isinstance(cls, str) else cls
        defaults = inspect.signature(cls).parameters
        for prefix, suffix_name in (
            ('img_path', 'img_suffix'),
            ('seg_map_path', 'seg_map_suffix'),
        ):
            folder = (dataset.get('data_prefix') or {}).get(prefix)
            suffix = dataset.get(suffix_name)
            if suffix is None and suffix_name in defaults:
                suffix = defaults[suffix_name].default
            if folder and '://' not in folder:
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
    hint = ', or make synthetic street scenes with sctnet scenes'
    if suffixes[0].endswith('_labelTrainIds.png') and place.is_dir():
        hint = ', and make the label maps with sctnet prepare'
    hint = hint if 'gtFine' in folder or 'leftImg8bit' in folder else ''
    raise DataError(
        f"{problem} (looked for '{place}/**/*{suffixes[0]}'): put the data set there "
        f'or name its folder with --data-root{hint}'
    )


def check_batch_size(cfg: Config) -> None:
    """Refuse one image a batch, which the norm after global pooling cannot train on.

    Raises:
        ConfigError: a batch norm would see a single value per channel.
    """
    backbone = cfg.model.get('backbone') or {}
    if kind_of(backbone) != 'SCTNet' or cfg.train_dataloader.get('batch_size', 1) != 1:
        return
    norm = kind_of(backbone.get('norm_cfg') or {'type': 'BN'})
    alone = int(os.environ.get('WORLD_SIZE', 1)) == 1
    if norm == 'BN' or (norm == 'SyncBN' and alone):
        raise ConfigError(
            'train_dataloader.batch_size=1 leaves batch norm a single value a channel '
            'after global pooling: set it to 2 or more, or use a norm_cfg such as GN'
        )


def is_first_process() -> bool:
    """Whether this is the only process of a run, or the first of several."""
    return int(os.environ.get('RANK', os.environ.get('SLURM_PROCID', 0))) == 0
