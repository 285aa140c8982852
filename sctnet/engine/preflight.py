"""Checks of the data's folders before a run starts."""

import inspect
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmseg.registry import DATASETS

from ..datasets.from_config import check_list, datasets_of, is_elsewhere
from ..errors import DataError


def check_data(cfg: Config, loaders: Iterable[str]) -> None:
    """See that folders, lists and at least one file that ``loaders`` will read exist.

    What lies elsewhere than on this disk (``backend_args``, URLs) is not looked for.

    Raises:
        DataError: one does not; the message names what was looked for.
    """
    of_test = [*loaders] == ['test_dataloader']
    remedy = ', or predict alone with --no-labels --out DIR' if of_test else ''
    for dataset in datasets_of(cfg, loaders):
        if is_elsewhere(dataset.get('backend_args'), dataset.get('data_root')):
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
                hint = remedy if prefix == 'seg_map_path' else ''
                _check_folder(dataset.get('data_root') or '', folder, ends, hint)
        check_list(dataset)


def _check_folder(
    data_root: str, folder: str, suffixes: Sequence[str], remedy: str
) -> None:
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
    looked = ', '.join(f"'*{suffix}'" for suffix in suffixes)
    raise DataError(
        f"{problem} (looked for {looked} below '{place}'): put the data set there or "
        f'name its folder with --data-root{hint}{remedy}'
    )


def is_first_process() -> bool:
    """Whether this is the only process of a run, or the first of several."""
    return int(os.environ.get('RANK', os.environ.get('SLURM_PROCID', 0))) == 0
