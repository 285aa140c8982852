"""What a training looks at before its first iteration."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import DataError
from .checker import check_config

PAIRS = 32  # of each part: some seconds at most
# What a training goes on from: broken files it skips, and some validate on training
# images to see whether a network can learn them.
_BEARABLE = ('broken image', 'broken label map', 'in train and val')


def quick_check(cfg: Config, pairs: int = PAIRS) -> None:
    """List all pairs of files, decode ``pairs`` of each data set, and log warnings.

    Raises:
        ConfigError: a data set cannot be built.
        DataError: something is wrong by which a training fails or learns nonsense.
    """
    result = check_config(cfg, most=pairs)
    bearable = [f for f in result.faults if not f.serious or f.kind in _BEARABLE]
    for fault in bearable[:10]:
        print_log(f'data set: {fault}', 'current', logging.WARNING)
    serious = [fault for fault in result.faults if fault not in bearable]
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f' and {more} more' if more else ''
        raise DataError(
            f'the data set has faults, {first}{others}: {first.remedy}; '
            'tools/check_dataset.py CONFIG lists them all, --no-check trains as it is'
        )
