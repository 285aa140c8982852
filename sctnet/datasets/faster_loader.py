"""``faster_loader`` in a config: images from a store, the crop chosen before resizing.

What it says is spread over the data sets' pipelines when the config is loaded.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config, ConfigDict

from ..compat.config_types import kind_of
from ..errors import ConfigError
from .from_config import LOADERS, datasets_of

DEFAULTS: dict[str, Any] = {'store': None, 'crop_first': False, 'parts': ['train']}
_STORE = 'sctnet.datasets.store.loading.'
FROM_STORE = {
    'LoadImageFromFile': _STORE + 'LoadImageFromStore',
    'LoadAnnotations': _STORE + 'LoadAnnotationsFromStore',
}
_CROP = 'sctnet.datasets.transforms.resize_crop.RandomResizeCrop'
_OF_CROP = ('crop_size', 'cat_max_ratio', 'ignore_index')
_ORDER = ('RandomResize', 'RandomCrop')


def apply_faster_loader(cfg: Config) -> None:
    """Spread ``cfg.faster_loader`` over the pipelines of ``cfg``, if it is there.

    Its keys:

    - ``store``: folder that ``sctnet prepare store`` wrote; None reads the image files.
    - ``crop_first``: whether the crop is chosen on the labels, and that part of the
      image alone resized. For the training alone.
    - ``parts``: which loaders read the store, of train, val and test.

    What an earlier call made of the pipelines is undone first.

    Raises:
        ConfigError: a key or value that cannot be, or a pipeline to which it does not
            apply.
    """
    if 'faster_loader' not in cfg:
        return
    undo_faster_loader(cfg)
    settings = _check(cfg.faster_loader)
    parts = settings['parts'] if settings['store'] is not None else []
    for part in {*parts, 'train'}:
        for dataset in datasets_of(cfg, [LOADERS[part]]):
            steps = list(dataset.get('pipeline') or ())
            if part in parts:
                root = dataset.get('data_root')
                steps = _from_store(steps, settings['store'], root)
            if part == 'train' and settings['crop_first']:
                steps = _crop_first(steps)
            dataset.pipeline = steps


def undo_faster_loader(cfg: Config) -> None:
    """Bring the pipelines back to what they were without ``cfg.faster_loader``."""
    if 'faster_loader' in cfg:
        for dataset in datasets_of(cfg):
            old = list(dataset.get('pipeline') or ())
            dataset.pipeline = [step for one in old for step in _originals(one)]


def set_store_root(dataset: ConfigDict) -> None:
    """Tell what reads a store that the ``data_root`` of ``dataset`` is another one."""
    for step in dataset.get('pipeline') or ():
        if kind_of(step).endswith('FromStore'):
            step['root'] = dataset.data_root


def can_crop_first(cfg: Config) -> bool:
    """Whether ``crop_first`` applies to all that ``cfg`` trains on."""
    pipelines = [d.get('pipeline') or () for d in datasets_of(cfg, [LOADERS['train']])]
    return all(_find_pair(list(steps)) is not None for steps in pipelines)


def _check(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigError(
            f'faster_loader is {given!r}: set it to a dict with store, crop_first, or '
            'both'
        )
    for key in given:
        if key not in DEFAULTS:
            near = difflib.get_close_matches(str(key), DEFAULTS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f'it has {[*DEFAULTS]}'
            raise ConfigError(f"faster_loader has no key '{key}': {hint}")
    settings = {**DEFAULTS, **given}
    parts = settings['parts']
    settings['parts'] = parts = [parts] if isinstance(parts, str) else parts
    if not isinstance(settings['store'], str | None) or settings['store'] == '':
        raise ConfigError(
            f'faster_loader.store is {settings["store"]!r}: set it to the folder that '
            'sctnet prepare store wrote, or to None'
        )
    if settings['crop_first'] not in (True, False):
        raise ConfigError(
            f'faster_loader.crop_first is {settings["crop_first"]!r}: set it to True '
            'or False'
        )
    if not isinstance(parts, list | tuple) or not {*parts} <= {*LOADERS}:
        raise ConfigError(
            f'faster_loader.parts is {parts!r}: set it to a list of '
            f'{", ".join(LOADERS)}'
        )
    return settings


def _from_store(
    steps: list[dict[str, Any]], store: str, root: str | None
) -> list[dict[str, Any]]:
    changed = []
    for step in steps:
        kind = kind_of(step)
        if kind in FROM_STORE:  # by name: mmengine cannot print a class added later
            reads_as = {**step, 'type': kind}
            step = {'type': FROM_STORE[kind], 'folder': store, 'root': root}
            step['reads_as'] = reads_as
        changed.append(step)
    if not any(step.get('type') == FROM_STORE['LoadImageFromFile'] for step in changed):
        raise ConfigError(
            f'faster_loader.store: the pipeline begins with '
            f'{kind_of(steps[0]) if steps else "nothing"}, where LoadImageFromFile was '
            'expected: take faster_loader.store out'
        )
    return changed


def _crop_first(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    place = _find_pair(steps)
    if place is None:
        kinds = ', '.join(kind_of(step) for step in steps)
        raise ConfigError(
            f'faster_loader.crop_first: the pipeline ({kinds}) has no RandomResize '
            'with RandomCrop next to it: take faster_loader.crop_first out'
        )
    both = {**steps[place], **steps[place + 1], 'type': _CROP}
    return [*steps[:place], both, *steps[place + 2 :]]


def _find_pair(steps: list[dict[str, Any]]) -> int | None:
    kinds = [kind_of(step) for step in steps]
    return next((i for i in range(len(kinds)) if (*kinds[i : i + 2],) == _ORDER), None)


def _originals(step: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the step or steps in whose place ``step`` is."""
    kind = kind_of(step)
    if kind.endswith('FromStore'):
        default = next(k for k, v in FROM_STORE.items() if v.endswith(kind))
        return [dict(step.get('reads_as') or {'type': default})]
    if kind != 'RandomResizeCrop':
        return [step]
    crop = {key: step[key] for key in _OF_CROP if key in step}
    rest = {key: step[key] for key in step if key not in _OF_CROP}
    return [{**rest, 'type': _ORDER[0]}, {**crop, 'type': _ORDER[1]}]
