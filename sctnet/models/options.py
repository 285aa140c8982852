"""The options of a segmentor's training and testing, ``train_cfg`` and ``test_cfg``."""

import copy
import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log

from ..errors import ConfigError


def check_train_cfg(train_cfg: Mapping[str, Any]) -> None:
    """See that ``model.train_cfg`` has known options; raises ConfigError."""
    options = ('shortcuts', 'channels_last', 'compile')
    for name, value in train_cfg.items():
        if name not in options or not isinstance(value, bool):
            raise ConfigError(
                f'model.train_cfg has {name}={value!r}: expected True or False for '
                f'some of {", ".join(options)}'
            )


def rename_fused(options: Any, place: str) -> Any:
    """Rename ``fused``, as older configs call ``shortcuts``."""
    if not options or 'fused' not in options:
        return options
    options = copy.copy(options)
    value = options.pop('fused')
    options.setdefault('shortcuts', value)
    print_log(
        f'model.{place}.fused is called model.{place}.shortcuts now',
        logger='current',
        level=logging.WARNING,
    )
    return options
