"""What a training looks at before its first iteration."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import ConfigError, DataError
from .checker import check_config
from .faults import Fault

PAIRS = 32  # of each part: some seconds at most
# What a training goes on from: broken files it skips, and some validate on training
# images to see whether a network can learn them.
_BEARABLE = ('broken image', 'broken label map', 'in train and val')


def quick_check(cfg: Config, pairs: int = PAIRS) -> None:
    """List all pairs of files, decode ``pairs`` of each data set, and log warnings.

    Raises:
        DataError: something is wrong by which a training fails or learns nonsense.
    """
    try:
        result = check_config(cfg, most=pairs)
    except ConfigError as error:
        # Of another kind, which may train all the same; what else is wrong with the
        # config, its Runner will say.
        print_log(f'the data set was not checked: {error}', 'current', logging.WARNING)
        return
    bearable = [fault for fault in result.faults if not _stops(fault)]
    for fault in bearable[:10]:
        print_log(f'data set: {fault}', 'current', logging.WARNING)
    serious = [fault for fault in result.faults if _stops(fault)]
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f' and {more} more' if more else ''
        raise DataError(
            f'the data set has faults, {first}{others}: {first.remedy}; '
            'tools/check_dataset.py CONFIG lists them all, --no-check trains as it is'
        )


def _stops(fault: Fault) -> bool:
    return fault.serious and fault.kind not in _BEARABLE
