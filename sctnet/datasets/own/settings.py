"""Spreading the values of ``own_data`` over a config: data sets, heads, schedule."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict

from ...compat.config_types import kind_of
from ...errors import ConfigError
from ..overlay import distinct_colours

DEFAULTS = {
    'root': None,
    'classes': None,
    'crop': (512, 512),
    'iterations': 20000,
    'batch': 8,
    'palette': None,
    'reduce_zero_label': False,
}
_LOADERS = {'train': 'train_dataloader', 'val': 'val_dataloader'}


def apply_own_data(cfg: Config, changes: Mapping[str, Any] | None = None) -> None:
    """Spread ``cfg.own_data`` over the config, which is changed.

    Args:
        cfg: the config.
        changes: to ``own_data``; with any, it is spread also where it was before.

    The keys of ``own_data``:

    - ``root``: folder with ``images/{train,val}`` and ``labels/{train,val}``.
    - ``classes``: their names, in the order of the labels 0, 1, ...
    - ``crop``: (height, width) in pixels that a training sees; images are resized so
      that their short side is the crop's.
    - ``iterations``, ``batch``: length of the training, images a step and GPU.
    - ``palette``: RGB of each class; None takes colours far apart.
    - ``reduce_zero_label``: whether 0 means "ignore" and the classes begin at 1.

    What the Runner writes beside a checkpoint is the config as it was spread; its
    ``own_data`` says so (``applied``) and is left alone when it is read again.

    Raises:
        ConfigError: a key or value that cannot be.
    """
    if not isinstance(cfg.own_data, Mapping):
        raise ConfigError(
            f'own_data is {cfg.own_data!r}: set it to a dict with root and classes, '
            'as docs/own_data.md has it'
        )
    if 'train_dataloader' not in cfg or 'model' not in cfg:
        raise ConfigError(
            f"'{cfg.filename}' has own_data and no base for it: import one of "
            'sctnet.configs._base_.own_data in it, as docs/own_data.md has it'
        )
    if cfg.own_data.get('applied') and not changes:
        return
    cfg.own_data = ConfigDict({**DEFAULTS, **cfg.own_data, **(changes or {})})
    own = cfg.own_data
    _check(own)
    classes = list(own.classes)
    palette = own.palette or distinct_colours(len(classes))
    colours = [[int(value) for value in colour] for colour in palette]
    meta = {'classes': tuple(classes), 'palette': colours}
    height, width = own.crop
    for part, loader in _LOADERS.items():
        folders = {'img_path': f'images/{part}', 'seg_map_path': f'labels/{part}'}
        cfg[loader].dataset.update(
            data_root=str(own.root),
            metainfo=meta,
            data_prefix=folders,
            reduce_zero_label=bool(own.reduce_zero_label),
        )
    cfg.test_dataloader = cfg.val_dataloader
    for head in ('decode_head', 'auxiliary_head'):
        if cfg.model.get(head):
            cfg.model[head].num_classes = len(classes)
    cfg.model.data_preprocessor.size = (height, width)
    scale = (4 * min(own.crop), min(own.crop))  # long side at most, short side
    _resize(cfg, scale, (height, width))
    cfg.train_dataloader.batch_size = own.batch
    _set_length(cfg, own.iterations)
    own.applied = True


def _check(own: ConfigDict) -> None:
    for key in own:
        if key not in (*DEFAULTS, 'applied'):
            near = difflib.get_close_matches(key, DEFAULTS, n=1)
            known = f'it has {", ".join(DEFAULTS)}'
            hint = f'did you mean {near[0]!r}?' if near else known
            raise ConfigError(f'own_data has no key {key!r}: {hint}')
    if not isinstance(own.root, str) or not own.root:
        raise ConfigError(
            f'own_data.root is {own.root!r}: set it to the folder that holds '
            'images/train, images/val, labels/train and labels/val'
        )
    if not _are_names(own.classes):
        raise ConfigError(
            f'own_data.classes is {own.classes!r}: set it to 2 to 255 different names, '
            "as text in the order of the labels, such as ('floor', 'wall')"
        )
    crop = own.crop
    if not _is_list(crop) or len(crop) != 2 or not all(map(_fits, crop)):
        raise ConfigError(
            f'own_data.crop is {crop!r}: set it to (height, width), multiples of 32 '
            'from 64 on, such as (512, 512)'
        )
    for key in ('iterations', 'batch'):
        if type(own[key]) is not int or own[key] < 1:
            raise ConfigError(
                f'own_data.{key} is {own[key]!r}: set it to an integer from 1 on'
            )
    if own.reduce_zero_label not in (True, False):
        raise ConfigError(
            f'own_data.reduce_zero_label is {own.reduce_zero_label!r}: set it to True '
            '(0 means "ignore") or False'
        )
    palette = own.palette
    if palette in (None, [], ()):
        return
    coloured = _is_list(palette) and all(map(_is_colour, palette))
    if not coloured or len(palette) != len(own.classes):
        raise ConfigError(
            f'own_data.palette is {palette!r}: set it to one (R, G, B) of integers 0 '
            f'to 255 for each class, {len(own.classes)} in all, or leave it out'
        )


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _are_names(classes: Any) -> bool:
    named = _is_list(classes) and all(isinstance(name, str) for name in classes)
    return named and 2 <= len(classes) <= 255 and len(set(classes)) == len(classes)


def _is_colour(value: Any) -> bool:
    if not _is_list(value) or len(value) != 3:
        return False
    return all(
        isinstance(part, int | np.integer) and 0 <= part <= 255 for part in value
    )


def _fits(side: Any) -> bool:
    return type(side) is int and side >= 64 and side % 32 == 0


def _resize(cfg: Config, scale: tuple[int, int], crop: tuple[int, int]) -> None:
    """Set ``scale`` (long, short) and ``crop`` (h, w) in every pipeline."""
    ratios = cfg.get('tta_ratios', [])
    pipelines: list[Any] = [cfg.train_dataloader.dataset.pipeline, cfg.train_pipeline]
    pipelines += [cfg.val_dataloader.dataset.pipeline, cfg.test_pipeline]
    for step in (step for pipeline in pipelines for step in pipeline):
        kind = kind_of(step)
        if kind in ('Resize', 'RandomResize', 'RandomResizeCrop'):
            step['scale'] = scale
        if kind in ('RandomCrop', 'RandomResizeCrop'):
            step['crop_size'] = crop
    for step in cfg.get('tta_pipeline', []):
        for ratio, resize in zip(ratios, step.get('transforms', [[]])[0], strict=False):
            resize['scale'] = tuple(int(side * ratio) for side in scale)
    cfg.crop_size = crop


def _set_length(cfg: Config, iterations: int) -> None:
    if 'max_epochs' in cfg.train_cfg:
        return  # then the config says itself how it counts
    tenth = max(1, iterations // 10)
    cfg.train_cfg.update(max_iters=iterations, val_interval=tenth)
    cfg.default_hooks.checkpoint.interval = tenth
    cfg.default_hooks.logger.interval = min(50, max(1, iterations // 20))
    for scheduler in cfg.param_scheduler:
        if kind_of(scheduler) == 'WarmupPolyLR':  # of another kind, its own config says
            scheduler.pop('max_iters', None)  # it is as long as the loop
            scheduler.by_epoch = False
            scheduler.warmup_iters = min(1500, tenth)
