"""Batches of one image, which batch norm may not like, and batches of another size."""

from collections.abc import Sized
from contextlib import suppress
from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.runner import Runner
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from ..errors import ConfigError
from ..models.heads import heads_of
from ..weights.bands import first_bands
from .distributed import CPUSyncBatchNorm
from .unwrap import unwrapped

_NOTED = 'images_of_an_iteration'  # in a checkpoint's message hub


def check_batch_size(model: nn.Module, loader: DataLoader) -> None:
    """See that ``model`` can train on the smallest batch that ``loader`` yields.

    The network is run once, on one image, where there is a batch of one.

    Raises:
        ConfigError: a batch norm would see a single value per channel.
    """
    batch = getattr(loader, 'batch_size', None)  # None: a batch sampler of a user's
    images = _images_of_epoch(loader)
    last = images is not None and batch is not None and images % batch == 1
    if batch != 1 and not last:
        return
    name = single_value_norm(unwrapped(model))
    if name is None:
        return
    why = f'leaves batch norm a single value a channel after global pooling (in {name})'
    if batch == 1:
        raise ConfigError(
            f'train_dataloader.batch_size=1 {why}: set it to 2 or more, or use a '
            'norm_cfg such as GN'
        )
    raise ConfigError(
        f'the last batch of an epoch has one image of {images}, which {why}: set '
        'train_dataloader.drop_last=True'
    )


def note_batch_size(runner: Runner, images: int) -> None:
    """Say where a resumed training has other batches than before; note their size.

    Args:
        runner: of the training, after it resumed.
        images: in a batch of this process.
    """
    hub, images = runner.message_hub, images * get_world_size()
    before = hub.get_info(_NOTED) if _NOTED in hub.runtime_info else images
    if before != images:
        runner.logger.warning(
            f'an iteration has {images} images now and had {before} before: the '
            'schedule still counts iterations; it goes on with the images that come '
            f'after {runner.iter} iterations of {images}'
        )
    hub.update_info(_NOTED, images)


def _images_of_epoch(loader: DataLoader) -> int | None:
    """Images of this process after which a batch is cut short; None where none is."""
    sampler = getattr(loader, 'sampler', None)
    endless = isinstance(sampler, InfiniteSampler) or getattr(sampler, 'endless', False)
    if endless or loader.drop_last or not isinstance(sampler, Sized):
        return None
    return len(sampler)


@torch.no_grad()
def single_value_norm(segmentor: nn.Module) -> str | None:
    """Return the name of a batch norm that would train on maps of 1x1; None if none.

    With SyncBN in several processes their images count together, and it is none.
    """
    mode = segmentor.training
    segmentor.train()
    joint = (nn.SyncBatchNorm, CPUSyncBatchNorm) if get_world_size() > 1 else ()
    norms = {
        name: module
        for name, module in segmentor.named_modules()
        if isinstance(module, _BatchNorm)
        and module.training  # one that is frozen does not mind
        and not isinstance(module, joint)
    }
    found: list[str] = []
    hooks = [
        norm.register_forward_pre_hook(
            lambda _, inputs, name=name: (
                found.append(name) if inputs[0][0, 0].numel() == 1 else None
            )
        )
        for name, norm in norms.items()
    ]
    segmentor.eval()  # the statistics stay as they are
    # A model of another kind may not run this way; its training says what is wrong.
    with suppress(Exception):
        _run(segmentor)
    for hook in hooks:
        hook.remove()
    segmentor.train(mode)
    return found[0] if found else None


def _run(segmentor: Any) -> None:
    """Run backbone and heads, those there are, on an image of the training's size."""
    preprocessor = segmentor.data_preprocessor
    size = getattr(preprocessor, 'size', None) or (128, 128)
    bands = first_bands(segmentor.backbone)
    device = next(segmentor.parameters()).device
    features = segmentor.extract_feat(torch.zeros(1, bands, *size, device=device))
    for head in heads_of(segmentor).values():
        head(features)
