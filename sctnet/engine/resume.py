"""What a resumed training takes from its checkpoint, and what from its config.

Weights, the optimizer's moments, iteration, seed and the log's history are the
checkpoint's. The learning rate, weight decay and the like are the config's, and so is
the schedule: at each iteration the rate is that of a training which was planned so from
the start. A longer training is one with a larger ``train_cfg.max_iters``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from mmengine.device import get_device
from mmengine.hooks import EMAHook
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from ..errors import CheckpointError
from .schedules import bring_to_iteration

# How a step is computed, not what it is; or what differs between versions of torch.
_SWITCHES = {
    *('capturable', 'decoupled_weight_decay', 'differentiable', 'foreach', 'fused'),
    *('maximize', 'params'),
}
_DECOUPLED = 'decoupled_weight_decay'  # which older versions of torch do not note
_ANEW = 'start a new training from its weights, with load_from={} and without --resume'


def resume(
    runner: Runner,
    file: str,
    optimizer: bool = True,
    schedule: bool = True,
    map_location: str | Callable = 'default',
) -> None:
    """Let ``runner``, whose training is about to begin, go on from a checkpoint.

    Args:
        runner: with a single optimizer.
        file: path or URL of the checkpoint.
        optimizer: go on with its optimizer's moments.
        schedule: go on with the schedule where the checkpoint is.
        map_location: as for ``torch.load``; by default the device of the training.

    Raises:
        CheckpointError: it is of another model or another optimizer.
    """
    device = get_device() if map_location == 'default' else map_location
    checkpoint = runner.load_checkpoint(file, map_location=device)
    meta = _sound_meta(checkpoint, file)
    runner.train_loop._epoch, runner.train_loop._iter = meta['epoch'], meta['iter']
    _take_seed(runner, meta.get('seed'))
    _compare_classes(runner, meta.get('dataset_meta') or {})
    runner.message_hub.load_state_dict(checkpoint.get('message_hub') or {})
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    saved = checkpoint.get('optimizer') if optimizer else None
    groups = None if saved is None else _restore_optimizer(runner, saved, file)
    _tell(runner, checkpoint, file, saved)
    if schedule:
        _follow_schedule(runner, checkpoint.get('param_schedulers'), groups)
    if runner.iter >= runner.max_iters:
        runner.logger.warning(_finished(runner))
    runner._has_loaded = True


def _sound_meta(checkpoint: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    """Return what a checkpoint says of itself, if it says where it stands."""
    meta = checkpoint.get('meta')
    places = meta if isinstance(meta, Mapping) else {}
    if all(type(places.get(key)) is int for key in ('epoch', 'iter')):
        return places
    raise CheckpointError(
        f"cannot resume from '{file}': it does not say its epoch and iteration; name "
        f'one that a training has written, or {_ANEW.format(file)}'
    )


def _take_seed(runner: Runner, seed: int | None) -> None:
    """Seed as the checkpoint's training was seeded."""
    ours = runner._randomness_cfg.get('seed')
    if seed is None or seed == ours:
        return
    if ours is not None:
        runner.logger.warning(
            f"the seed is the checkpoint's, {seed}, and not randomness.seed={ours}"
        )
    # A copy: mmengine's default is one dict for all Runners of a process.
    runner._randomness_cfg = {**runner._randomness_cfg, 'seed': seed}
    runner.set_randomness(**runner._randomness_cfg)


def _compare_classes(runner: Runner, theirs: Mapping[str, Any]) -> None:
    dataset = runner.train_dataloader.dataset
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    before = theirs.get('classes')
    if before is not None and classes is not None and [*before] != [*classes]:
        runner.logger.warning(
            'the checkpoint was trained on other classes than those of this data set '
            f'({", ".join(before)}; here {", ".join(classes)})'
        )


def _restore_optimizer(runner: Runner, saved: dict, file: str) -> list[dict]:
    """Take the moments; keep the config's values. Return those of the checkpoint."""
    wrapper = runner.optim_wrapper
    planned = [{**group} for group in wrapper.param_groups]
    if not (isinstance(saved, dict) and saved.get('param_groups')):
        raise CheckpointError(
            f"cannot resume from '{file}': it holds no state of an optimizer; "
            + _ANEW.format(file)
        )
    first = saved['param_groups'][0]
    _check_optimizer(planned[0], first, file)
    both = _DECOUPLED in first and _DECOUPLED in planned[0]
    if both and first[_DECOUPLED] != planned[0][_DECOUPLED]:
        ways = 'added to the gradients, as by Adam', 'apart from them, as by AdamW'
        was, now = (ways[bool(group.get(_DECOUPLED))] for group in (first, planned[0]))
        runner.logger.warning(f'weight decay is {now}, and was {was}')
    count = sum(len(group['params']) for group in wrapper.optimizer.param_groups)
    theirs = sum(len(group['params']) for group in saved['param_groups'])
    for group in saved['param_groups']:  # by which torch chooses the steps' device
        group.update(
            {k: planned[0][k] for k in _SWITCHES & planned[0].keys() - {'params'}}
        )
    try:
        wrapper.load_state_dict({**saved})
    except ValueError as error:
        what = (
            f'it moves {theirs} weights and this config {count} (of siam, say)'
            if count != theirs
            else 'its weights are grouped otherwise (optim_wrapper.paramwise_cfg, or '
            'model.backbone.frozen_stages)'
        )
        raise CheckpointError(
            f"cannot resume from '{file}': {what}; resume with the config that it was "
            f'trained with, or {_ANEW.format(file)}'
        ) from error
    before = [{**group} for group in wrapper.param_groups]
    for group, values in zip(wrapper.param_groups, planned, strict=True):
        for key in group.keys() - values.keys():
            del group[key]
        group.update({k: v for k, v in values.items() if k != 'params'})
    return before


def _check_optimizer(planned: dict, saved: dict, file: str) -> None:
    """See that the moments of ``saved`` are those of the config's optimizer."""
    ours, theirs = (
        {key for key in group if not key.startswith('initial_')} - _SWITCHES
        for group in (planned, saved)
    )
    # A schedule of the momentum adds it to optimizers that have betas.
    ours, theirs = (k - {'momentum'} if 'betas' in k else k for k in (ours, theirs))
    if ours != theirs:
        what = f'with {", ".join(sorted(theirs))}; here {", ".join(sorted(ours))}'
    elif planned.get('amsgrad') and not saved.get('amsgrad'):
        what = 'without amsgrad'
    else:
        return
    raise CheckpointError(
        f"cannot resume from '{file}': it was trained by another optimizer ({what}); "
        'set optim_wrapper.optimizer to that one, or ' + _ANEW.format(file)
    )


def _follow_schedule(runner: Runner, saved: Any, before: list[dict] | None) -> None:
    """Bring the schedule to the checkpoint's iteration, and say what is new."""
    followed = bring_to_iteration(
        runner, saved if isinstance(saved, list) else None, before
    )
    if before is None:
        return
    now = runner.optim_wrapper.param_groups
    changed = _changes(before, now)
    if changed:
        runner.logger.warning(f'the config has other values now: {changed}')
    # The last is what mmengine logs: the rate without a factor of its own.
    old, new = before[-1]['lr'], now[-1]['lr']
    if not followed:
        runner.logger.warning(
            f'the learning rate goes on at {old:g}, as its schedule follows what is '
            'measured'
        )
    elif abs(old - new) > 1e-9 * max(abs(old), abs(new)):
        runner.logger.warning(
            f'the learning rate at iteration {runner.iter} is {new:g} by the schedule '
            f"of this config, and was {old:g} by the checkpoint's"
        )


def _changes(before: list[dict], now: list[dict]) -> str:
    """Name the values of the optimizer that differ, before -> now."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for old, new in zip(reversed(before), reversed(now), strict=True):
        scheduled = {key.removeprefix('initial_') for key in new if 'initial_' in key}
        scheduled |= {'betas'} if 'momentum' in scheduled and 'betas' in new else set()
        for key in sorted(new.keys() - scheduled - {'params'}):
            name = key.removeprefix('initial_')
            theirs = old.get(key, old.get(name))
            if theirs is not None and theirs != new[key]:
                found.setdefault(name, f'{name} {theirs} -> {new[key]}')
                counts[name] = counts.get(name, 0) + 1
    return ', '.join(
        f'{text} (of {counts[name]} of {len(now)} groups)'
        if counts[name] < len(now)
        else text
        for name, text in found.items()
    )


def _tell(
    runner: Runner, checkpoint: Mapping[str, Any], file: str, optimizer: dict | None
) -> None:
    """Say in one line what was restored, and what starts afresh."""
    restored = ['weights', 'place in the schedule', 'log', 'seed']
    afresh = []
    if optimizer is None:
        afresh.append('optimizer')
    else:
        restored.insert(1, f'optimizer (state of {len(optimizer["state"])} weights)')
        scaled = isinstance(runner.optim_wrapper, AmpOptimWrapper)
        if scaled and 'loss_scaler' not in optimizer:
            afresh.append('loss scale')
    if any(isinstance(hook, EMAHook) for hook in runner.hooks):
        kept = 'ema_state_dict' in checkpoint
        (restored if kept else afresh).append('moving average of the weights')
    if type(runner.train_loop) in (IterBasedTrainLoop, EpochBasedTrainLoop):
        afresh.append('random draws')
    runner.logger.info(
        f"resumed epoch: {runner.epoch}, iter: {runner.iter}, from '{file}': "
        f'{", ".join(restored)}; {" and ".join(afresh) or "nothing"} starts afresh'
    )


def _finished(runner: Runner) -> str:
    key = 'train_cfg.max_iters'
    if 'max_epochs' in (runner.cfg.get('train_cfg') or {}):
        key = 'train_cfg.max_epochs'
    return (
        f'this training was finished, at iteration {runner.iter} of '
        f'{runner.max_iters}: nothing is trained; to go on, raise {key} and resume '
        'again'
    )
