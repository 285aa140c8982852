"""Collates a batch into few tensors, so that few copies bring it to a GPU."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.utils.data import default_collate

LABELS = 'gt_sem_seg'
_SMALL = (torch.uint8, torch.int8, torch.int16, torch.int32)


def stack_samples(samples: Sequence[Any]) -> Any:
    """Collate what ``PackSegInputs`` made, with as few tensors as there can be.

    For a :class:`~sctnet.models.BatchDataPreProcessor`, in the worker of a loader. Images of one size
    and type become one tensor, and so do label maps, and other maps that each sample
    has. Labels take the smallest integer type that holds the batch's. The maps of the
    samples are views of these tensors. What differs in size stays a list, as
    ``pseudo_collate`` makes it, and anything else is left to that.

    Returns:
        ``inputs``, (N, C, H, W) or a list of (C, H, W); ``data_samples``, a list; and
        ``maps``, tensors (N, 1, H, W) by their names in the samples, which a loader
        with ``pin_memory`` pins.
    """
    batch = pseudo_collate(samples)
    if not isinstance(batch, dict) or set(batch) != {'inputs', 'data_samples'}:
        return batch
    images, packed = batch['inputs'], batch['data_samples']
    if not all(isinstance(image, Tensor) for image in images):
        return batch  # several of each, to be averaged over
    if not all(isinstance(sample, SegDataSample) for sample in packed):
        return batch
    if _alike(images):
        batch['inputs'] = default_collate(list(images))
    batch['maps'] = {}
    for name in sorted(packed[0].keys()):
        maps = [getattr(sample.get(name), 'data', None) for sample in packed]
        if all(isinstance(one, Tensor) for one in maps) and _alike(maps):
            batch['maps'][name] = _stack(maps, narrow=name == LABELS)
    batch['data_samples'] = [
        with_maps(sample, batch['maps'], i) for i, sample in enumerate(packed)
    ]
    return batch


def _alike(tensors: Sequence[Tensor]) -> bool:
    return len({(tensor.shape, tensor.dtype) for tensor in tensors}) == 1


def _stack(maps: list[Tensor], narrow: bool) -> Tensor:
    if narrow and maps[0].dtype == torch.int64:
        ranges = [one.aminmax() for one in maps if one.numel()]
        low = min((int(one.min) for one in ranges), default=0)
        high = max((int(one.max) for one in ranges), default=0)
        maps = [one.to(smallest_type(low, high)) for one in maps]
    return default_collate(maps)


def smallest_type(low: int, high: int) -> torch.dtype:
    """Return the smallest integer type that holds all from ``low`` to ``high``."""
    for kind in _SMALL:
        if torch.iinfo(kind).min <= low and high <= torch.iinfo(kind).max:
            return kind
    return torch.int64


def with_maps(
    sample: SegDataSample, maps: dict[str, Tensor], index: int
) -> SegDataSample:
    """Copy ``sample``, with its part of ``maps`` in the place of its own."""
    copied = type(sample)(metainfo=dict(sample.metainfo_items()))
    for name, value in sample.items():
        if name in maps:
            meta = dict(value.metainfo_items())
            value = PixelData(data=maps[name][index], metainfo=meta)
        copied.set_data({name: value})
    return copied
