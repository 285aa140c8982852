"""From a loader's batch to the network's input: one copy a kind, then the device."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.utils import SampleList, stack_batch
from torch import Tensor
from torch.nn import functional as F

from ..datasets.collate import LABELS, Size, cut, with_maps

_PADDED = {LABELS, 'gt_edge_map', 'gt_depth_map'}  # by mmseg


@MODELS.register_module()
class BatchDataPreProcessor(SegDataPreProcessor):
    """mmseg's ``SegDataPreProcessor``, computed for a batch at once.

    Takes its arguments, and gives its numbers bit for bit. Of what
    :func:`~sctnet.datasets.collate.stack_samples` collated it sends the images as they
    are, bytes as a rule, in one copy, and each kind of map in another, without waiting
    where they are pinned. The rest is done where the network is. Labels arrive there as
    int64. The batch itself is not changed. Lists go mmseg's way.
    """

    normalises_like_mmseg = True  # for what looks at mean and std alone

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Normalise and pad a collated batch.

        Args:
            data: what ``stack_samples`` or ``pseudo_collate`` returned.
            training: pad to ``size`` or ``size_divisor``, and the maps too; otherwise
                as ``test_cfg`` says.

        Returns:
            ``inputs``, float (N, C, H, W), and ``data_samples``, on this device.
        """
        if 'sizes' not in data:
            return _with_wide_labels(super().forward(data, training))
        sent: Tensor = self._send(data['inputs'])
        maps = {name: self._send(stacked) for name, stacked in data['maps'].items()}
        if LABELS in maps and not maps[LABELS].is_floating_point():
            maps[LABELS] = maps[LABELS].long()
        sizes, samples = data['sizes'], data['data_samples']
        target = self._target(data) if training else _common(sizes)
        if target is None:  # few, or mmseg says what is wrong with them
            inputs = [
                image[:, :h, :w] for image, (h, w) in zip(sent, sizes, strict=True)
            ]
            batch = {'inputs': inputs, 'data_samples': _own_parts(samples, maps)}
            return super().forward(batch, training)
        images = self._normalise(sent)
        if not training:
            samples = self.cast_data(_own_parts(samples, maps))
            return self._pad_for_test(images, samples)
        images = _pad(images, sent, sizes, target, self.pad_val)
        for name, one in maps.items():
            if name in _PADDED:
                maps[name] = _pad(one, one, sizes, target, self.seg_pad_val)
        samples = self.cast_data(_whole_parts(samples, maps, sizes, target))
        if self.batch_augments is not None:
            images, samples = self.batch_augments(images, samples)
        return {'inputs': images, 'data_samples': samples}

    def _send(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, non_blocking=True)

    def _normalise(self, images: Tensor) -> Tensor:
        if images.dtype is not torch.uint8:  # not every type can be flipped
            images = images.float()
        if self.channel_conversion and images.shape[1] == 3:
            images = images.flip(1)  # a list of indices would be a copy of its own
        images = images.float()
        if self._enable_normalize:
            mean, std = self.get_buffer('mean'), self.get_buffer('std')
            images = (images - mean).div_(std)
        return images

    def _target(self, data: dict) -> Size | None:
        """What all images of a training batch are padded to; None if mmseg is to say.

        That is where they come out in several sizes, or maps are not of their image's.
        """
        sizes, size, divisor = data['sizes'], self.size, self.size_divisor
        for sample, own in zip(data['data_samples'], sizes, strict=True):
            for name in _PADDED & set(sample.keys()):
                if name not in data['maps'] or sample.get(name).shape != own:
                    return None
        if (size is None) == (divisor is None):
            return None
        if divisor is None:
            return _common([(max(size[-2], h), max(size[-1], w)) for h, w in sizes])
        divisor = max(divisor, 1)
        height, width = (max(lengths) for lengths in zip(*sizes, strict=True))
        return height + -height % divisor, width + -width % divisor

    def _pad_for_test(self, images: Tensor, samples: SampleList) -> dict[str, Any]:
        if self.test_cfg:
            images, added = stack_batch(
                list(images),
                size=self.test_cfg.get('size'),
                size_divisor=self.test_cfg.get('size_divisor'),
                pad_val=self.pad_val,
                seg_pad_val=self.seg_pad_val,
            )
            for sample, meta in zip(samples, added, strict=True):
                sample.set_metainfo(dict(meta))
        return {'inputs': images, 'data_samples': samples}


def _with_wide_labels(batch: dict[str, Any]) -> dict[str, Any]:
    """Make labels int64, which a loader of ours has made small."""
    for sample in batch.get('data_samples') or []:
        labels = getattr(sample, LABELS, None)
        if labels is not None and not labels.data.is_floating_point():
            labels.data = labels.data.long()
    return batch


def _common(sizes: Sequence[Size]) -> Size | None:
    """Return the size that all ``sizes`` are."""
    return sizes[0] if len(set(sizes)) == 1 else None


def _pad(
    images: Tensor, given: Tensor, sizes: Sequence[Size], target: Size, value: float
) -> Tensor:
    """Set (N, C, H, W) to ``value`` outside ``sizes``, and make it ``target`` large.

    ``given`` is the caller's, and not written to where ``images`` is the same.
    """
    height, width = images.shape[2:]
    right, below = target[1] - width, target[0] - height
    if right or below:
        images = F.pad(images, (0, right, 0, below), value=value)
    elif images is given and any(size != target for size in sizes):
        images = images.clone()
    for image, (h, w) in zip(images, sizes, strict=True):
        if h < height:
            image[:, h:height].fill_(value)
        if w < width:
            image[:, :h, w:width].fill_(value)
    return images


def _own_parts(samples: SampleList, maps: dict[str, Tensor]) -> SampleList:
    """Return the samples with their parts of ``maps``, each of its own size."""
    return [
        with_maps(
            sample, {name: cut(one[i], sample, name) for name, one in maps.items()}
        )
        for i, sample in enumerate(samples)
    ]


def _whole_parts(
    samples: SampleList, maps: dict[str, Tensor], sizes: Sequence[Size], target: Size
) -> SampleList:
    """Return the samples with padded ``maps``, and what mmseg notes of the padding."""
    padded = []
    for i, (sample, (h, w)) in enumerate(zip(samples, sizes, strict=True)):
        copied = with_maps(sample, {name: one[i] for name, one in maps.items()})
        copied.set_metainfo(
            {
                'img_shape': (h, w),
                'pad_shape': target if _PADDED & maps.keys() else None,
                'padding_size': (0, target[1] - w, 0, target[0] - h),
            }
        )
        padded.append(copied)
    return padded
