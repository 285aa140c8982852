"""Label maps whose values are no classes, found before something fails on them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from mmseg.utils import SampleList
from torch import Tensor

from ..errors import DataError

_TYPES = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def smallest_type(count: int, *ignored: int) -> torch.dtype:
    """Return the smallest integer type for the labels 0 to ``count`` - 1.

    Args:
        count: number of labels.
        *ignored: further labels that it must hold, such as 255 or -100.
    """
    least, most = min((0, *ignored)), max((count - 1, *ignored))
    fitting = (
        dtype
        for dtype in _TYPES
        if torch.iinfo(dtype).min <= least and most <= torch.iinfo(dtype).max
    )
    return next(fitting)


def check_labels(
    labels: Tensor, count: int, ignored: int | Iterable[int], where: str
) -> Tensor:
    """See that labels of any shape are below ``count``, or to ignore.

    Args:
        labels: integers, on a CPU, of one image or several.
        count: number of labels that a model or a metric knows.
        ignored: label of pixels that count nothing, or several of them.
        where: what holds the labels, such as a file's path in quotes.

    Returns:
        The same labels in the smallest type that holds all of them.

    Raises:
        DataError: some are outside, or no integers.
    """
    ignored = (ignored,) if isinstance(ignored, int) else tuple(ignored)
    if labels.is_floating_point() or labels.is_complex():
        name = str(labels.dtype).removeprefix('torch.')
        raise DataError(
            f'{where} has labels of type {name}: expected one integer a pixel, the '
            'index of its class'
        )
    if labels.dtype not in _TYPES:  # bool, uint16 and others, which torch hardly knows
        labels = labels.long()
    dtype = smallest_type(count, *ignored)
    if not labels.numel():
        return labels.to(dtype)
    values = labels.numpy()  # compares bytes many times as fast as torch
    least, most = int(values.min()), int(values.max())
    if torch.iinfo(dtype).min <= least and most <= torch.iinfo(dtype).max:
        values = values.astype(str(dtype).removeprefix('torch.'), copy=False)
    small = torch.from_numpy(values)
    if least >= 0 and most < count:
        return small
    outside = values >= count
    if least < 0:
        outside |= values < 0
    for label in ignored:
        outside &= values != label
    if outside.any():
        found = np.unique(values[outside])[:5].tolist()
        raise DataError(
            f'{where} has labels {found} outside the {count} classes (0 to '
            f'{count - 1}{_to_ignore(ignored)}): convert the label maps, or check the '
            "data set's reduce_zero_label and classes"
        )
    return small


def _to_ignore(ignored: tuple[int, ...]) -> str:
    names = ', '.join(str(label) for label in ignored)
    return f', and {names} to ignore' if names else ''


def check_sample(
    sample: Any, count: int, ignored: int | Iterable[int]
) -> Tensor | None:
    """Check the label map (1, H, W) of a data sample, and name its file.

    Returns:
        It in the smallest type; None for a sample without labels.
    """
    annotation = getattr(sample, 'gt_sem_seg', None)
    if annotation is None:
        return None
    path = getattr(sample, 'seg_map_path', None) or getattr(sample, 'img_path', None)
    where = f"'{path}'" if path else 'a label map'
    return check_labels(annotation.data, count, ignored, where)


def check_samples(samples: SampleList, count: int, ignored: int) -> None:
    """Check the labels of a batch that no loader of ours has checked.

    On a CPU alone: a GPU would have to wait for the answer.
    """
    for sample in samples:
        if sample.gt_sem_seg.data.device.type == 'cpu':
            check_sample(sample, count, ignored)
