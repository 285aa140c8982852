"""Whether the losses of a model fit its classes, said before the first iteration.

mmseg looks at a loss when it is first computed: what does not fit ends in an error of
torch's, or belongs to other classes than meant and trains all the same.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import (
    CrossEntropyLoss,
    DiceLoss,
    HuasdorffDisstanceLoss,
    LovaszLoss,
    TverskyLoss,
)
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import nn

from ..errors import ConfigError
from ..models.heads import heads_of, label_count
from .check_loss_values import check_focal, check_weights

_HEADS = ('decode_head', 'auxiliary_head')


def check_loss_configs(model: dict[str, Any]) -> None:
    """See that every ``loss_decode`` in the config of a model can be built.

    Raises:
        ConfigError: its class refuses a value, or a file of weights cannot be read.
    """
    for place, head in _each('model', {key: model.get(key) for key in _HEADS}):
        loss = head.get('loss_decode') if isinstance(head, dict) else None
        for where, config in _each(place, {'loss_decode': loss}):
            if not isinstance(config, dict):
                continue
            weights = config.get('class_weight')
            local = isinstance(weights, str) and '://' not in weights
            if local and not os.path.isfile(str(weights)):
                raise ConfigError(
                    f'{where}.class_weight is {weights!r}, which is no file: set it to '
                    'a list of numbers, one for each class, or to a .npy file of them'
                )
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter('ignore')  # the model's own will come
                    MODELS.build(config)
            except Exception as error:
                said = ' '.join(str(error).split())
                raise ConfigError(
                    f'{where} cannot be built ({said}): correct its values, or the '
                    'file that it names, such as a .npy or .json list of numbers'
                ) from error


def check_losses(segmentor: nn.Module) -> None:
    """See that each head's losses fit its classes, and can be computed.

    Heads with a loss of their own are left alone, and so is a segmentor without heads.

    Raises:
        ConfigError: one does not; the message has the place in the config.
    """
    main = getattr(segmentor, 'decode_head', None)
    for name, head in heads_of(segmentor).items():
        if not isinstance(head, BaseDecodeHead):
            continue
        place = f'model.{name}'
        _check_labels(place, head, main)
        for where, loss in _each(place, {'loss_decode': head.loss_decode}):
            check_weights(where, loss, head)
            check_focal(where, loss, head)
            _check_channels(where, loss, head)
            _check_sampling(where, loss, head)
        _try(place, head)


def _each(place: str, parts: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each of ``parts``, and of those that are lists each one, with its place."""
    for key, part in parts.items():
        if isinstance(part, list | tuple | nn.ModuleList):
            for i, one in enumerate(part):
                yield f'{place}.{key}.{i}', one
        elif part is not None:
            yield f'{place}.{key}', part


def _check_labels(place: str, head: BaseDecodeHead, main: Any) -> None:
    if isinstance(main, BaseDecodeHead) and label_count(head) < label_count(main):
        raise ConfigError(
            f'{place} has {label_count(head)} classes and model.decode_head '
            f'{label_count(main)}, and both learn from the same labels: set the '
            'num_classes of both to one number'
        )


def _check_channels(place: str, loss: nn.Module, head: BaseDecodeHead) -> None:
    """Refuse what would learn nothing, or the opposite, from one output channel."""
    if head.out_channels > 1:
        return
    if isinstance(loss, CrossEntropyLoss) and not loss.use_sigmoid:
        raise ConfigError(
            f'{place}: a softmax over one channel is always 1; set '
            f'{place}.use_sigmoid=True, or num_classes and out_channels to 2'
        )
    if isinstance(loss, TverskyLoss | HuasdorffDisstanceLoss):
        raise ConfigError(
            f'{place}: {type(loss).__name__} takes a softmax, which is always 1 over '
            'one channel; set num_classes and out_channels to 2, or take another loss'
        )
    if isinstance(loss, LovaszLoss) and not _is_binary(loss):
        raise ConfigError(
            f'{place}: with one channel LovaszLoss takes loss_type=binary; set it, or '
            'num_classes and out_channels to 2'
        )
    if isinstance(loss, DiceLoss):
        raise ConfigError(
            f"{place}: mmseg's DiceLoss takes label 0 for what one channel shows, and "
            'the other losses label 1; set num_classes and out_channels to 2, or take '
            'LovaszLoss with loss_type=binary'
        )


def _is_binary(loss: LovaszLoss) -> bool:
    return loss.cls_criterion.__name__ == 'lovasz_hinge'


def _check_sampling(place: str, loss: nn.Module, head: BaseDecodeHead) -> None:
    """Say which losses do not see the pixels that a sampler chooses."""
    if head.sampler is None:
        return
    name, sampler = type(loss).__name__, type(head.sampler).__name__
    if isinstance(loss, DiceLoss):
        raise ConfigError(
            f'{place}: {name} counts whole regions and cannot leave out pixels, as '
            f'{sampler} wants; leave out one of the two'
        )
    if isinstance(loss, LovaszLoss | TverskyLoss | HuasdorffDisstanceLoss):
        print_log(
            f'{place}: {name} counts whole regions, so that {sampler} has no effect '
            'on it',
            'current',
            logging.WARNING,
        )


@torch.no_grad()
def _try(place: str, head: BaseDecodeHead) -> None:
    """Compute the losses of a small drawn batch, as the first iteration would."""
    plain = all(
        getattr(type(head), name) is getattr(BaseDecodeHead, name)
        for name in ('loss', 'loss_by_feat')
    )
    parts = [part for part in (head.loss_decode, head.sampler) if part is not None]
    on_device = any(
        tensor.device.type != 'cpu'
        for part in parts
        if part is not head.sampler
        for tensor in (*part.parameters(), *part.buffers())
    )
    if not plain or on_device:
        return
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, head.out_channels, 8, 8, generator=generator)
    try:
        with torch.random.fork_rng(devices=[]):
            head.loss_by_feat(logits, _draw_samples(head, generator))
    except Exception as error:
        losses = head.loss_decode
        names = losses if isinstance(losses, nn.ModuleList) else [losses]
        listed = ', '.join(type(loss).__name__ for loss in names)
        sampler = '' if head.sampler is None else f' and {type(head.sampler).__name__}'
        said = ' '.join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(
            f'{place}: {listed}{sampler} cannot be computed on logits of '
            f'{head.out_channels} channels ({said}): take another loss_decode or '
            'sampler'
        ) from error


def _draw_samples(
    head: BaseDecodeHead, generator: torch.Generator
) -> Sequence[SegDataSample]:
    """Two label maps of all labels, with pixels to ignore as most data sets have."""
    samples = []
    for _ in range(2):
        labels = torch.randint(label_count(head), (1, 8, 8), generator=generator)
        if head.ignore_index is not None:
            labels[0, 0] = head.ignore_index
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return samples
