"""Proposes what a data set suggests for its config: class weights, crop, mean, std."""

from collections.abc import Iterator

import numpy as np
from mmengine.config import Config

from ..statistics import fitting_crop, weights_line
from .pairs import Part
from .shares import Share

_MUCH = 0.75  # of a crop; less is filled by the usual enlarging
_RARE = 20  # times as many pixels has the commonest class
_FAR = 1.0  # standard deviations; Cityscapes lies within, by ImageNet's


def propose(cfg: Config, part: Part, share: Share) -> Iterator[str]:
    """Yield proposals for a training: why, and lines for the end of its config."""
    head = cfg.get('model', {}).get('decode_head') or {}
    loss = head.get('loss_decode') if isinstance(head, dict) else None
    if isinstance(loss, dict) and not loss.get('class_weight'):
        yield from _weights(share)
    yield from _crop(part, share)
    yield from _normalisation(part, share)


def _weights(share: Share) -> Iterator[str]:
    seen = share.pixels[share.pixels > 0]
    if len(seen) > 1 and seen.max() > _RARE * seen.min():
        times = seen.max() / seen.min()
        yield (
            f'the commonest class has {times:.0f} times the pixels of the rarest; if '
            f'rare ones are not learnt, weights by the roots of the shares: '
            f'{weights_line(share.pixels.tolist())}'
        )


def _crop(part: Part, share: Share) -> Iterator[str]:
    crop = part.reading.crop
    if not crop or not share.sizes:
        return
    short = int(np.median([min(size) for size in share.sizes.elements()]))
    fitting = fitting_crop(short, min(crop))
    if fitting < _MUCH * min(crop):
        yield (
            f'the images have a short side of {short} and a training sees '
            f'{crop[0]}x{crop[1]}, so that they are enlarged or padded: a crop of '
            f'{fitting}x{fitting} lies within them'
        )


def _normalisation(part: Part, share: Share) -> Iterator[str]:
    mean, std = np.array(part.reading.mean), np.array(part.reading.std)
    if not share.sums or not len(mean) == len(std) == len(share.sums.total):
        return
    own = share.sums.rounded
    if min(own[1]) < 1e-4:  # of one value: nothing to normalise
        return
    near = np.abs(own[0] - mean) < _FAR * std
    alike = np.abs(np.log2(own[1] / std)) < 1
    if not (near & alike).all():
        yield (
            f'the images are far from the mean and std that they are normalised by: '
            f'model.update(data_preprocessor=dict(mean={own[0]}, std={own[1]}))'
        )
