"""What makes epochs exact: where each ends, and whether a checkpoint's were as long."""

from typing import Any

from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ..compat.config_types import kind_of
from ..errors import ConfigError
from .numbered_sampler import NumberedSampler

_LENGTH = 'epoch_length'  # in a checkpoint's message hub


def finite(sampler: Any) -> Any:
    """Return a sampler's config, that of a ``DefaultSampler`` for an infinite one."""
    if isinstance(sampler, dict) and kind_of(sampler) == 'InfiniteSampler':
        return {**sampler, 'type': DefaultSampler}
    return sampler


def check_epoch(dataloader: DataLoader, sampler: NumberedSampler) -> None:
    """See that an epoch has a batch, and an end.

    Raises:
        ConfigError: it has not.
    """
    if isinstance(sampler.sampler, InfiniteSampler):
        raise ConfigError(
            f'a {type(sampler.sampler).__name__} has no epochs: set '
            'train_dataloader.sampler.type=DefaultSampler, or count iterations with '
            'train_cfg.max_iters'
        )
    if not len(dataloader):
        images = len(sampler)
        raise ConfigError(
            f'an epoch has no whole batch, only {images} images in each process: set '
            f'train_dataloader.batch_size to {max(images, 1)} or less, or count '
            'iterations with train_cfg.max_iters'
        )


def warn_of_accumulation(runner: Runner, length: int) -> None:
    """Log where a checkpoint comes between two steps of accumulated gradients.

    Args:
        runner: of the training.
        length: of an epoch, in iterations.
    """
    counts = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.interval > 0:
            every = hook.interval * (length if hook.by_epoch else 1)
            if every % counts:
                runner.logger.warning(
                    f'checkpoints come every {every} iterations, and gradients are '
                    f'accumulated over {counts}: what is half accumulated is lost in a '
                    "resume; let the checkpoint hook's interval be a multiple"
                )


def check_resumed(hub: MessageHub, length: int, epoch: int, iteration: int) -> None:
    """See that a checkpoint's epochs had ``length`` iterations too, and note it.

    Args:
        hub: of the Runner, after it resumed.
        length: of an epoch, in iterations.
        epoch: number of epochs that are done.
        iteration: number of iterations that are done.

    Raises:
        ConfigError: they had not, so that there is no place to go on.
    """
    before = hub.get_info(_LENGTH) if _LENGTH in hub.runtime_info else None
    inside = 0 <= iteration - epoch * length <= length
    if iteration and epoch == 0 and before is None and not inside:
        raise ConfigError(
            f'the checkpoint is at iteration {iteration} of a training that counted no '
            'epochs: resume with train_cfg.max_iters, or start anew from its weights '
            'with load_from'
        )
    if iteration and not (inside if before is None else before == length):
        known = '' if before is None else f' of {before} iterations'
        raise ConfigError(
            f'the checkpoint is at iteration {iteration}, after {epoch} epochs{known}, '
            f'and an epoch has {length} here: resume with the batch_size, data set and '
            'number of processes that it was trained with, or start anew from its '
            'weights with load_from'
        )
    hub.update_info(_LENGTH, length)
