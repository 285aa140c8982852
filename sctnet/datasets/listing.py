"""The files that a config's data set lists, without reading them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from mmengine.config import ConfigDict
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..errors import ConfigError, DataError
from .folder_dataset import FolderDataset
from .from_config import check_list, is_elsewhere

_UNCHECKED = 'train without the check (--no-check)'


@dataclass(frozen=True)
class Pair:
    """An image and its label map, by path; ``labels`` is None without one."""

    image: str
    labels: str | None


def build_dataset(config: ConfigDict, remedy: str = _UNCHECKED) -> BaseSegDataset:
    """Build a data set that lists its files and has no pipeline.

    Args:
        config: of the data set.
        remedy: ends the sentence on one of another kind.

    Raises:
        ConfigError: it cannot be built, or does not read files in pairs.
        DataError: it cannot be built, and its folder or list is not there.
    """
    settings = {**config, 'pipeline': [], 'lazy_init': True}
    try:
        dataset = DATASETS.build(settings)
    except (TypeError, ValueError, KeyError, AssertionError) as error:
        if isinstance(error, AssertionError):  # PascalVOCDataset's, without a word
            _check_there(config)
        raise ConfigError(
            f'the data set {config.get("type")!r} cannot be built ({error}): correct '
            'its arguments in the config'
        ) from error
    if not isinstance(dataset, BaseSegDataset):
        raise ConfigError(
            f'a {type(dataset).__name__} is no data set of images and label maps as '
            f'mmseg has them: {remedy}'
        )
    return dataset


def list_files(dataset: BaseSegDataset, remedy: str = _UNCHECKED) -> Iterator[Pair]:
    """Yield every pair as it is listed, also where a file is missing.

    Args:
        dataset: by :func:`build_dataset`.
        remedy: ends the sentence on files that are not on this disk.

    Raises:
        ConfigError: the files are not on this disk.
        DataError: they cannot be listed.
    """
    folder = dataset.data_prefix.get('img_path') or ''
    if is_elsewhere(dataset.backend_args, folder):
        raise ConfigError(f"'{folder}' is not on this disk: {remedy}")
    _check_folder(folder)
    own = isinstance(dataset, FolderDataset)
    try:
        infos = dataset.list_pairs() if own else dataset.load_data_list()
    except (AssertionError, OSError) as error:
        raise DataError(f'the data set cannot be listed: {error}') from error
    for info in infos:
        yield Pair(info['img_path'], info.get('seg_map_path'))


def _check_folder(folder: str) -> None:
    if not os.path.isdir(folder):
        raise DataError(
            f"there is no folder '{folder}': put the data set there or name its folder "
            'with --data-root'
        )


def _check_there(config: ConfigDict) -> None:
    root = config.get('data_root') or ''
    folder = (config.get('data_prefix') or {}).get('img_path') or ''
    if not is_elsewhere(config.get('backend_args'), root):
        _check_folder(os.path.join(root, folder))
        check_list(config)
