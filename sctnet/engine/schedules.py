"""The schedules of a training: how long they are, and where one is that goes on."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import IterBasedTrainLoop, Runner

from ..compat.config_types import kind_of
from .warmup_poly_lr import WarmupPolyLR

# What a scheduler counts with; the rest of its state is what the config says.
_COUNTERS = {'_global_step', '_last_value', 'last_step', 'verbose'}


def with_lengths(config: Any) -> Any:
    """Let every ``WarmupPolyLR`` in the config of schedulers get the loop's length."""
    if isinstance(config, list | tuple):
        return [with_lengths(one) for one in config]
    if isinstance(config, Mapping) and kind_of(config) == 'WarmupPolyLR':
        return {'by_epoch': False, **config}
    return config


def lengths_to_tell(
    schedulers: list[_ParamScheduler], loop: Any, max_iters: int, max_epochs: int
) -> Iterator[str]:
    """Say of each value that is scheduled where its schedule and the loop part.

    Args:
        schedulers: all of a training.
        loop: the training loop, built.
        max_iters: its iterations.
        max_epochs: its epochs.
    """
    for name in sorted({one.param_name for one in schedulers}):
        own = [one for one in schedulers if one.param_name == name]
        for one in own:
            if one.by_epoch and isinstance(loop, IterBasedTrainLoop):
                yield (
                    f'{type(one).__name__} counts epochs, which this training has not: '
                    f'it never changes {name}; set by_epoch=False in param_scheduler'
                )
        # In iterations; what counts epochs ends with the epoch.
        iters = max_iters / max_epochs
        ends = [_end_of(one) * (iters if one.by_epoch else 1) for one in own]
        if max(ends) < max_iters:
            yield (
                f'the schedule of {name} ends at iteration {max(ends):.0f} and the '
                f'training at {max_iters}: from there on {name} stays as it is; set '
                'end or max_iters in param_scheduler, or leave them out'
            )
        longest = max(
            (_end_of(o) for o in own if isinstance(o, WarmupPolyLR)), default=0
        )
        if longest > max_iters:
            yield (
                f'the schedule of {name} is {longest} iterations long and the training '
                f'{max_iters}: it stops before the decay is through; set max_iters in '
                'param_scheduler, or leave it out'
            )


def _end_of(scheduler: Any) -> int:
    ours = isinstance(scheduler, WarmupPolyLR)
    return int(scheduler.max_iters if ours else scheduler.end)


def bring_to_iteration(
    runner: Runner, saved: list[dict] | None, groups: list[dict] | None
) -> bool:
    """Bring the fresh schedulers of ``runner`` to its iteration, by the config alone.

    Args:
        runner: its iteration and epoch are those to go on from; the values in its
            optimizer are the config's, at iteration 0, and are changed.
        saved: states of the schedulers in the checkpoint.
        groups: values of the optimizer's groups in the checkpoint.

    Returns:
        False where a schedule follows what is measured (``ReduceOnPlateauLR``): it can
        only be restored.
    """
    schedulers: list[Any] = runner.param_schedulers or []
    if all(isinstance(one, WarmupPolyLR) for one in schedulers):
        for one in schedulers:
            one.load_state_dict({'_global_step': runner.iter})
        return True
    restorable = saved is not None and groups is not None
    measured = any(map(_is_measured, schedulers))
    if restorable and (measured or _are_same(schedulers, saved or [])):
        _restore(runner, schedulers, saved or [], groups or [])
    else:
        _replay(runner, [one for one in schedulers if not _is_measured(one)])
    return not measured


def _is_measured(scheduler: _ParamScheduler) -> bool:
    return getattr(scheduler, 'need_val_args', False)


def _are_same(schedulers: list[_ParamScheduler], saved: list[dict]) -> bool:
    """Whether the schedules of a checkpoint are those of the config."""
    if len(schedulers) != len(saved):
        return False
    for scheduler, theirs in zip(schedulers, saved, strict=True):
        ours = scheduler.state_dict()
        keys = (ours.keys() | theirs.keys()) - _COUNTERS
        if any(ours.get(key) != theirs.get(key) for key in keys):
            return False
    return True


def _restore(
    runner: Runner, schedulers: list[Any], saved: list[dict], groups: list[dict]
) -> None:
    for scheduler, state in zip(schedulers, saved, strict=False):
        scheduler.load_state_dict(state)
        names = [scheduler.param_name]
        names += ['betas'] if getattr(scheduler, 'use_betas', False) else []
        for group, theirs in zip(
            runner.optim_wrapper.param_groups, groups, strict=True
        ):
            group.update({name: theirs[name] for name in names if name in theirs})


def _replay(runner: Runner, schedulers: list[Any]) -> None:
    """Take every step again: mmengine's schedulers reckon from the value before."""
    runner.optim_wrapper._global_step = 0  # else they warn of the optimizer's steps
    an_epoch, epochs = len(runner.train_dataloader), 0
    for i in range(1, runner.iter + 1):
        for one in schedulers:
            if not one.by_epoch:
                one.step()
        while epochs < runner.epoch and i >= (epochs + 1) * an_epoch:
            epochs += 1
            for one in schedulers:
                if one.by_epoch:
                    one.step()
