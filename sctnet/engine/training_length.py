"""How long a config trains: in iterations or in epochs, and all that counts with it."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from ..compat.config_types import kind_of
from ..errors import ConfigError

_LOOPS = {'max_iters': 'ResumableTrainLoop', 'max_epochs': 'ResumableEpochTrainLoop'}
_COUNTING = ('val_interval', 'val_begin', 'dynamic_intervals')


def settle_length(cfg: Config, options: Mapping[str, Any]) -> None:
    """Let ``train_cfg`` of ``cfg`` count what it is given: iterations or epochs.

    An option ``train_cfg.max_epochs`` replaces the file's ``max_iters``, and the other
    way round. What counted in the file then counts anew, unless an option says how:
    validation and checkpoints come after every epoch, or ten times in a training.

    Args:
        cfg: the config, options merged; it is changed.
        options: those of the command line, by their dotted keys.

    Raises:
        ConfigError: there are two lengths.
    """
    loop = cfg.get('train_cfg')
    if not isinstance(loop, dict):
        return
    given = [key for key in _LOOPS if options.get(f'train_cfg.{key}') is not None]
    others = [key for key in _LOOPS if key not in given and key in loop]
    changed = len(given) == 1 and bool(others)
    for key in _LOOPS:
        if loop.get(key, 0) is None or (changed and key in others):
            loop.pop(key)
    lengths = [key for key in _LOOPS if key in loop]
    if len(lengths) > 1:
        both = ' and '.join(f'{key}={loop[key]}' for key in lengths)
        raise ConfigError(
            f'train_cfg has {both}, and a training has one length: set the other to '
            'None'
        )
    if not lengths:
        return
    ours = {*_LOOPS.values(), *(['IterBasedTrainLoop'] if changed else [])}
    if kind_of(loop) in ours - {_LOOPS[lengths[0]]}:
        # By name: mmengine cannot print a class that was put into a config later.
        loop['type'] = _LOOPS[lengths[0]]
    if changed:
        _count_anew(cfg, options, lengths[0] == 'max_epochs')


def _count_anew(cfg: Config, options: Mapping[str, Any], epochs: bool) -> None:
    loop = cfg.train_cfg
    length = loop.get('max_iters')
    interval = max(1, length // 10) if isinstance(length, int) else 1
    for key in _COUNTING:
        if f'train_cfg.{key}' not in options:
            loop.pop(key, None)
    loop.setdefault('val_interval', interval)
    hook = (cfg.get('default_hooks') or {}).get('checkpoint')
    if isinstance(hook, dict):
        place = 'default_hooks.checkpoint'
        if f'{place}.by_epoch' not in options:
            hook['by_epoch'] = epochs
        if f'{place}.interval' not in options and hook['by_epoch'] == epochs:
            hook['interval'] = interval
        if f'{place}.save_begin' not in options:
            hook.pop('save_begin', None)
    if 'log_processor.by_epoch' not in options and 'log_processor' in cfg:
        cfg.log_processor.by_epoch = epochs
    what = 'epochs' if epochs else 'iterations'
    saved = hook.get('interval') if isinstance(hook, dict) else 'none'
    print(
        f'training counts {what} now, with train_cfg.val_interval={loop.val_interval} '
        f'and default_hooks.checkpoint.interval={saved}'
    )


def check_counting(cfg: Config) -> None:
    """See that checkpoints and log count epochs only in a training that has them.

    Raises:
        ConfigError: they do in one of iterations: nothing would be saved before its
            end.
    """
    loop = cfg.get('train_cfg')
    if not isinstance(loop, dict) or 'max_iters' not in loop:
        return
    hooks = cfg.get('default_hooks') or {}
    counting = {
        f'default_hooks.{name}.by_epoch': hook.get('by_epoch', True)
        for name, hook in hooks.items()
        if isinstance(hook, dict) and kind_of(hook).endswith('CheckpointHook')
    }
    logger, log = hooks.get('logger') or {}, cfg.get('log_processor') or {}
    counting['default_hooks.logger.log_metric_by_epoch'] = logger.get(
        'log_metric_by_epoch', False
    )
    counting['log_processor.by_epoch'] = log.get('by_epoch', False)
    for place, by_epoch in counting.items():
        if by_epoch:
            raise ConfigError(
                f'{place} counts epochs, and train_cfg.max_iters iterations: set it to '
                'False, or train_cfg.max_epochs in the place of max_iters'
            )
