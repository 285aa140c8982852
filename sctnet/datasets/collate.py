"""Collates a batch into few tensors, so that few copies bring it to a GPU."""

from collections.abc import Sequence
from typing import Any

from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.utils.data import default_collate

LABELS = 'gt_sem_seg'
Size = tuple[int, int]  # height, width


def stack_samples(samples: Sequence[Any]) -> Any:
    """Collate what ``PackSegInputs`` made, with as few tensors as there can be.

    For a :class:`~sctnet.models.BatchDataPreProcessor`, in the worker of a loader. The
    images become one tensor, and so do label maps, and other maps that each sample
    has. Images of several sizes lie in the upper left of theirs, with zeros around. The
    maps of the samples are views of these tensors. What is anything else is collated as
    ``pseudo_collate`` does.

    Returns:
        ``inputs``, (N, C, H, W); ``data_samples``, a list; ``maps``, tensors (N, 1, H,
        W) by their names in the samples, which a loader with ``pin_memory`` pins; and
        ``sizes``, the height and width of each image.
    """
    batch = pseudo_collate(samples)
    if not isinstance(batch, dict) or set(batch) != {'inputs', 'data_samples'}:
        return batch
    images, packed = batch['inputs'], batch['data_samples']
    if not all(isinstance(sample, SegDataSample) for sample in packed):
        return batch
    if not all(isinstance(image, Tensor) and image.ndim == 3 for image in images):
        return batch  # several of each, to be averaged over
    if len({(image.dtype, len(image)) for image in images}) > 1:
        return batch
    sizes = [_size(image) for image in images]
    batch.update(inputs=_stack(images), maps={}, sizes=sizes)
    for name in sorted(packed[0].keys()):
        maps: list[Any]
        maps = [getattr(sample.get(name), 'data', None) for sample in packed]
        if all(isinstance(one, Tensor) for one in maps) and _go_together(maps, sizes):
            batch['maps'][name] = _stack(maps)
    batch['data_samples'] = [
        with_maps(sample, {k: cut(v[i], sample, k) for k, v in batch['maps'].items()})
        for i, sample in enumerate(packed)
    ]
    return batch


def _size(tensor: Tensor) -> Size:
    height, width = tensor.shape[-2:]
    return height, width


def _go_together(maps: Sequence[Tensor], sizes: Sequence[Size]) -> bool:
    """Whether maps (1, H, W) are of one size, or each is of the size of its image."""
    found = [_size(one) for one in maps]
    alike = len({(len(one), one.dtype) for one in maps}) == 1
    return alike and (len(set(found)) == 1 or found == list(sizes))


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    """Stack (C, H, W) into (N, C, H, W), in shared memory if in a worker."""
    sizes = [_size(tensor) for tensor in tensors]
    if len(set(sizes)) > 1:
        height, width = (max(lengths) for lengths in zip(*sizes, strict=True))
        padded = [one.new_zeros((len(one), height, width)) for one in tensors]
        for one, tensor in zip(padded, tensors, strict=True):
            one[:, : tensor.shape[1], : tensor.shape[2]] = tensor
        tensors = padded
    return default_collate(list(tensors))


def cut(stacked: Tensor, sample: SegDataSample, name: str) -> Tensor:
    """Return the part of a map (1, H, W) that is the sample's own."""
    height, width = _size(sample.get(name).data)
    return stacked[:, :height, :width]


def with_maps(sample: SegDataSample, maps: dict[str, Tensor]) -> SegDataSample:
    """Copy ``sample``, with ``maps`` (1, H, W) in the place of its own."""
    copied = type(sample)(metainfo=dict(sample.metainfo_items()))
    for name, value in sample.items():
        if name in maps:
            meta = dict(value.metainfo_items())
            value = PixelData(data=maps[name], metainfo=meta)
        copied.set_data({name: value})
    return copied
