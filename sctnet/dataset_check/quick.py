"""What a training looks at before its first iteration."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import ConfigError, DataError
from ..failures import config_errors
from ..preflight import MAX_BROKEN_SHARE, check_broken_share
from .checker import CheckResult, check_config
from .faults import Fault

PAIRS = 32  # of each part: some seconds at most
# A training skips these; validation and test leave nothing out.
_BROKEN = ('broken image', 'broken label map')


@config_errors
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
    serious = [fault for fault in result.faults if _stops(fault)]
    bearable = [fault for fault in result.faults if not _stops(fault)]
    for fault in bearable[:10]:
        print_log(f'data set: {fault}', 'current', logging.WARNING)
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f' and {more} more' if more else ''
        raise DataError(
            f'the data set has faults, {first}{others}: {first.remedy}; '
            'tools/check_dataset.py CONFIG lists them all, --no-check trains as it is'
        )
    _refuse_many_broken(cfg, result)


def _stops(fault: Fault) -> bool:
    # Some validate on training images to see whether a network can learn them.
    skipped = fault.kind in _BROKEN and fault.part.startswith('train')
    return fault.serious and not skipped and fault.kind != 'in train and val'


def _refuse_many_broken(cfg: Config, result: CheckResult) -> None:
    """Say now that the training will end because too many files are broken."""
    allowed = cfg.get('train_cfg', {}).get('max_broken_share', MAX_BROKEN_SHARE)
    share = check_broken_share(allowed)
    pairs = [p for t in result.parts if t.name.startswith('train') for p in t.pairs]
    broken = [f for f in result.faults if f.kind in _BROKEN and not _stops(f)]
    paths = {fault.path for fault in broken}
    count = sum(not paths.isdisjoint((pair.image, pair.labels)) for pair in pairs)
    if count > share * len(pairs):
        raise DataError(
            f'{count} of {len(pairs)} training files are broken, the first '
            f"'{broken[0].path}' ({broken[0].detail}), more than "
            f'train_cfg.max_broken_share={share:g}: mend them (tools/check_dataset.py '
            'CONFIG lists them all), or allow more'
        )
