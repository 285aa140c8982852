"""From a loader's batch to the network's input: one copy a kind, then the device."""

from typing import Any

import torch
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import stack_batch
from torch import Tensor

from ..datasets.collate import LABELS, with_maps

_PADDED = (LABELS, 'gt_edge_map', 'gt_depth_map')  # in mmseg's order


@MODELS.register_module()
class BatchDataPreProcessor(SegDataPreProcessor):
    """mmseg's ``SegDataPreProcessor``, computed for a batch at once.

    Takes its arguments, and gives its numbers bit for bit. Of what
    :func:`stack_samples` collated it sends the images as they are, bytes as a rule, in
    one copy, and each kind of map in another, without waiting where they are pinned.
    The rest is done where the network is, whatever the number of images. Labels arrive
    there as int64. The batch itself is not changed. Lists go mmseg's way.
    """

    normalises_like_mmseg = True  # for what looks at mean and std alone

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Normalise and pad a collated batch.

        Args:
            data: what :func:`stack_samples` or ``pseudo_collate`` returned.
            training: pad to ``size`` or ``size_divisor``, and labels too; otherwise as
                ``test_cfg`` says.

        Returns:
            ``inputs``, float (N, C, H, W), and ``data_samples`` on this device.
        """
        images, samples = data['inputs'], data.get('data_samples')
        maps = {name: self._send(one) for name, one in data.get('maps', {}).items()}
        if LABELS in maps:
            maps[LABELS] = maps[LABELS].long()
        if maps:
            samples = [with_maps(one, maps, i) for i, one in enumerate(samples)]
        if not isinstance(images, Tensor) or training and samples is None:
            return super().forward({'inputs': images, 'data_samples': samples}, training)
        samples, images = self.cast_data(samples), self._normalise(self._send(images))
        if training and self._fits(images):
            for sample in samples:
                _note_no_padding(sample, images)
        elif training:
            limits = {'size': self.size, 'size_divisor': self.size_divisor}
            images, samples = self._pad(images, samples, limits)
        elif self.test_cfg:
            images, added = self._pad(images, None, self.test_cfg)
            for sample, meta in zip(samples, added, strict=False):
                sample.set_metainfo(dict(meta))
        if training and self.batch_augments is not None:
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

    def _fits(self, images: Tensor) -> bool:
        """Whether there is nothing to pad; False too where the options are wrong."""
        size, divisor = self.size, self.size_divisor
        if (size is None) == (divisor is None):
            return False  # mmseg says so
        height, width = images.shape[2:]
        if divisor is not None:
            return height % max(divisor, 1) == 0 and width % max(divisor, 1) == 0
        return size[-2] <= height and size[-1] <= width

    def _pad(self, images: Tensor, samples: Any, limits: dict) -> tuple[Tensor, list]:
        return stack_batch(
            list(images),
            samples,
            size=limits.get('size'),
            size_divisor=limits.get('size_divisor'),
            pad_val=self.pad_val,
            seg_pad_val=self.seg_pad_val,
        )


def _note_no_padding(sample: SegDataSample, images: Tensor) -> None:
    """Write into ``sample`` what mmseg's ``stack_batch`` does where it pads nothing."""
    named = [sample.get(name) for name in _PADDED]
    shapes = [one.shape for one in named if one is not None]
    sample.set_metainfo(
        {
            'img_shape': images.shape[2:],
            'pad_shape': shapes[-1] if shapes else None,
            'padding_size': (0, 0, 0, 0),
        }
    )
