"""Checks how a config's model is to be tested, before the first image."""

import logging
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

from mmengine.logging import print_log

from ..compat.config_types import kind_of
from ..datasets.images import MIN_SIZE
from ..errors import ConfigError

_PAIRS = {'crop_size': '(512, 512)', 'stride': '(341, 341)'}


def check_test_cfg(model: Mapping[str, Any], place: str = 'model') -> None:
    """See that a sliding window has a size and a step.

    Args:
        model: config of a segmentor, or of a test-time augmentation around one.
        place: of it in the config.

    Raises:
        ConfigError: it has not, leaves gaps, or the mode is neither whole nor slide.
    """
    if isinstance(model.get('module'), Mapping):
        check_test_cfg(model['module'], f'{place}.module')
    test_cfg = model.get('test_cfg') or {}
    place = f'{place}.test_cfg'
    if not isinstance(test_cfg, Mapping):
        raise ConfigError(f'{place} is {test_cfg!r}: set it to a dict, with a mode')
    mode = test_cfg.get('mode', 'whole')
    if mode not in ('whole', 'slide'):
        raise ConfigError(f'{place}.mode is {mode!r}: set it to whole or slide')
    if mode == 'whole':
        if 'crop_size' in test_cfg:
            print_log(
                f'{place}.crop_size has no effect with mode=whole: for a sliding '
                'window set mode=slide',
                'current',
                logging.WARNING,
            )
        return
    for key, example in _PAIRS.items():
        if not _is_pair(test_cfg.get(key)):
            has = f'is {test_cfg[key]!r}' if key in test_cfg else 'is missing'
            raise ConfigError(
                f'{place}.mode=slide needs crop_size and stride, each (height, width), '
                f'and {key} {has}: set {place}.{key} to one such as {example}'
            )
    crop, stride = test_cfg['crop_size'], test_cfg['stride']
    backbone = model.get('backbone') or {}
    if kind_of(backbone) == 'SCTNet' and min(crop) < MIN_SIZE:
        raise ConfigError(
            f'{place}.crop_size is {tuple(crop)}, and SCTNet takes images from '
            f'{MIN_SIZE}x{MIN_SIZE} pixels on: set it to at least that'
        )
    if any(step > side for step, side in zip(stride, crop, strict=True)):
        raise ConfigError(
            f'{place}.stride is {tuple(stride)} and crop_size {tuple(crop)}, which '
            'leaves gaps between windows: set stride to at most crop_size'
        )


def _is_pair(value: Any) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        return False
    return all(
        isinstance(side, Integral) and not isinstance(side, bool) and int(side) > 0
        for side in value
    )
