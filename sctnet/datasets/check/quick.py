"""What a training, or a test, looks at before its first image."""

import logging
from collections import Counter
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.logging import print_log

from ...compat.config_types import kind_of
from ...errors import ConfigError, DataError
from ..from_config import LOADERS, datasets_of, image_loader, steps_of
from .checker import CheckResult, check_config
from .faults import Fault, split_of
from .pairs import LABELS, SPLITS

PAIRS = 32  # of each part: some seconds at most
_OF_ALL = ('nothing labelled', 'masks of 0 and 255')  # what label maps have in common
_MANY = 20  # times as many pairs, to be sure
_BROKEN = ('broken image', 'broken label map')
# A training in mmengine's loops, '' among them, ends with the first broken file.
_MMENGINE_LOOPS = ('', 'EpochBasedTrainLoop', 'IterBasedTrainLoop')


def quick_check(
    cfg: Config, pairs: int = PAIRS, splits: Sequence[str] = SPLITS
) -> None:
    """List all pairs of files, decode ``pairs`` of each data set, and log warnings.

    Broken files that the training's loop leaves out are warnings.

    Args:
        cfg: the config.
        pairs: how many to decode.
        splits: of which data sets; those that a training reads by default.

    Raises:
        DataError: something is wrong by which a training fails or learns nonsense.
    """
    # A test may be of images alone.
    splits = [x for x in splits if x != 'test' or _reads_pictures(cfg, LOADERS[x])]
    try:
        result = check_config(cfg, most=pairs, splits=splits)
        if any(fault.kind in _OF_ALL for fault in result.faults):  # a rare class?
            result = check_config(cfg, most=_MANY * pairs, splits=splits)
    except ConfigError as error:
        # Of another kind, which may train all the same; what else is wrong with the
        # config, its Runner will say.
        print_log(f'the data set was not checked: {error}', 'current', logging.WARNING)
        return
    serious = _serious(cfg, result)
    bearable = [fault for fault in result.faults if fault not in serious]
    counts = Counter((fault.part, fault.kind) for fault in bearable)
    for fault in bearable:
        count = counts.pop((fault.part, fault.kind), 0)
        if count:  # the first of its kind
            of_kind = f' and {count - 1} more' if count > 1 else ''
            text = f'data set, {fault.part}: {fault}{of_kind}'
            print_log(text, 'current', logging.WARNING)
    if serious:
        first, more = serious[0], len(serious) - 1
        others = f' and {more} more' if more else ''
        lists = '' if 'test' in splits else 'sctnet check CONFIG lists them all, '
        raise DataError(
            f'the data set has faults, {first}{others}: {first.remedy}; '
            f'{lists}--no-check goes on as it is'
        )


def _serious(cfg: Config, result: CheckResult) -> list[Fault]:
    """Return the faults by which this training fails or learns nonsense."""
    loop = kind_of(cfg.get('train_cfg') or {})
    # Validation leaves nothing out; another loop of a user's own may do as ours does.
    ends = {'train': loop in _MMENGINE_LOOPS, 'val': True, 'test': True}
    for split in ends:
        ends[split] &= _reads_pictures(cfg, LOADERS[split])
    # Some validate on training images to see whether a network can learn them, or go on
    # with the classes of a larger set.
    bearable = {'in two parts', 'class without a pixel', *_BROKEN}
    return [
        fault
        for fault in result.faults
        if (fault.serious and fault.kind not in bearable)
        or (fault.kind in _BROKEN and ends[split_of(fault.part)])
    ]


def _reads_pictures(cfg: Config, loader: str) -> bool:
    """Whether mmseg's transforms, or ours, read the files, which are as we see them."""
    return all(
        image_loader(steps) and not LABELS.isdisjoint(map(kind_of, steps_of(steps)))
        for steps in (dataset.get('pipeline') for dataset in datasets_of(cfg, [loader]))
    )
