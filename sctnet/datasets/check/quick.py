"""What a training looks at before its first iteration."""

import logging

from mmengine.config import Config
from mmengine.logging import print_log

from ...compat.config_types import kind_of
from ...errors import ConfigError, DataError
from ..from_config import LOADERS, datasets_of
from .checker import CheckResult, check_config
from .faults import Fault
from .sample_files import MAX_BROKEN_SHARE, check_broken_share

PAIRS = 32  # of each part: some seconds at most
_BROKEN = ('broken image', 'broken label map')
# A training in mmengine's loops, '' among them, ends with the first broken file.
_MMENGINE_LOOPS = ('', 'EpochBasedTrainLoop', 'IterBasedTrainLoop')


def quick_check(cfg: Config, pairs: int = PAIRS) -> None:
    """List all pairs of files, decode ``pairs`` of each data set, and log warnings.

    Raises:
        ConfigError: ``train_cfg`` is not sound.
        DataError: something is wrong by which a training fails or learns nonsense.
    """
    try:
        result = check_config(cfg, most=pairs)
    except ConfigError as error:
        # Of another kind, which may train all the same; what else is wrong with the
        # config, its Runner will say.
        print_log(f'the data set was not checked: {error}', 'current', logging.WARNING)
        return
    serious = _serious(cfg, result)
    for fault in [fault for fault in result.faults if fault not in serious][:10]:
        print_log(f'data set, {fault.part}: {fault}', 'current', logging.WARNING)
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f' and {more} more' if more else ''
        raise DataError(
            f'the data set has faults, {first}{others}: {first.remedy}; '
            'sctnet check CONFIG lists them all, --no-check trains as it is'
        )
    _refuse_many_broken(cfg, result)


def _serious(cfg: Config, result: CheckResult) -> list[Fault]:
    """Return the faults by which this training fails or learns nonsense."""
    loop = kind_of(cfg.get('train_cfg') or {})
    # Validation leaves nothing out; another loop of a user's own may do as ours does.
    ends = {'train': loop in _MMENGINE_LOOPS, 'val': True}
    for split in ends:
        ends[split] &= _reads_pictures(cfg, LOADERS[split])
    # Some validate on training images to see whether a network can learn them.
    bearable = {'in train and val', *_BROKEN}
    return [
        fault
        for fault in result.faults
        if (fault.serious and fault.kind not in bearable)
        or (fault.kind in _BROKEN and ends[fault.part.partition(' ')[0]])
    ]


def _reads_pictures(cfg: Config, loader: str) -> bool:
    """Whether mmseg's own transforms read the files, which then are as we see them."""
    wanted = {'LoadImageFromFile', 'LoadAnnotations'}
    return all(
        wanted <= {kind_of(step) for step in dataset.get('pipeline') or []}
        for dataset in datasets_of(cfg, [loader])
    )


def _refuse_many_broken(cfg: Config, result: CheckResult) -> None:
    """Say now that the training will end because too many files are broken."""
    loader = LOADERS['train']
    parts = [part for part in result.parts if part.name.startswith('train')]
    subset = any(dataset.get('indices') for dataset in datasets_of(cfg, [loader]))
    loop = cfg.get('train_cfg') or {}
    # Of several data sets, or a part of one, the loop counts in its own way.
    if subset or len(parts) != 1 or kind_of(loop) != 'ResumableTrainLoop':
        return
    share = check_broken_share(loop.get('max_broken_share', MAX_BROKEN_SHARE))
    if not _reads_pictures(cfg, loader):
        return
    pairs = parts[0].pairs
    broken = [f for f in result.faults if f.kind in _BROKEN and f.part == 'train']
    paths = {fault.path for fault in broken}
    count = sum(not paths.isdisjoint((pair.image, pair.labels)) for pair in pairs)
    if count > share * len(pairs):
        raise DataError(
            f'at least {count} of {len(pairs)} training files are broken, the first '
            f"'{broken[0].path}' ({broken[0].detail}), more than "
            f'train_cfg.max_broken_share={share:g}: mend them (sctnet check '
            'CONFIG lists them all), or allow more'
        )
