"""Looks at a label map as its file has it, before anything is cropped off it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from ..datasets.check.inspection import read_labels
from ..datasets.check_labels import check_labels
from ..errors import BrokenFileError, DataError
from .label_range import LabelRange

LABELS = 'gt_seg_map'
_WIDE = ('I', 'F')  # how Pillow's modes of more than a byte begin
_KNOWN = ('mmcv.', 'mmseg.', 'sctnet.')


class LoadedLabels:
    """A step of a pipeline that finds labels which are no classes.

    Args:
        labels: what they may be.
        bytes_only: whether what loaded them keeps 8 bits of each.

    Raises:
        BrokenFileError: the file has colours in the place of class indices.
        DataError: a label is outside; or its file has more than 8 bits, and they count.
    """

    def __init__(self, labels: LabelRange, bytes_only: bool = False) -> None:
        self.labels = labels
        self.bytes_only = bytes_only

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Look at the label map of ``results``, and return them as they are."""
        values, path = results.get(LABELS), results.get('seg_map_path')
        if not isinstance(values, np.ndarray):
            return results
        if values.ndim != 2 and path is not None:
            raise BrokenFileError.of(
                str(path),
                f'{values.shape[-1]} channels: it takes one class index a pixel; '
                'sctnet convert colours makes them of colours',
            )
        if isinstance(path, str) and self.bytes_only:
            self._check_file(path)
        if values.dtype.kind not in 'iub':  # as mmseg packs them
            values = values.astype(np.int64)
        where = f"'{path}'" if path else 'a label map'
        same = torch.from_numpy(np.ascontiguousarray(values))
        check_labels(same, self.labels.count, self.labels.ignored, where)
        return results

    def _check_file(self, path: str) -> None:
        """See that the last 8 bits say all, or to ignore."""
        try:
            with Image.open(path) as image:
                wide = image.mode.startswith(_WIDE)
            values = read_labels(path) if wide else np.zeros(1)
        except Exception:  # elsewhere than on this disk, or no picture
            return
        lost = values[values > 255].astype(np.int64)
        lost = lost[~np.isin(lost & 255, self.labels.ignored)]
        if lost.size:
            raise DataError(
                f"'{path}' has labels up to {lost.max()}, and mmseg's LoadAnnotations "
                'keeps 8 bits of each: write label maps of 8 bits, 255 to ignore'
            )


def look_at_labels(datasets: Iterable[Any], labels: LabelRange | None) -> None:
    """Let :class:`LoadedLabels` into the pipelines of data sets, once in each.

    It comes after what loads the labels, before a crop. A pipeline with a step of a
    user's own is left alone, as that may make classes of them; what it packs is looked
    at all the same.

    Args:
        datasets: those that have a pipeline, as mmseg's have.
        labels: what they may hold; None looks no more.
    """
    for dataset in datasets:
        _look_in(getattr(dataset, 'pipeline', None), labels)


def _look_in(pipeline: Any, labels: LabelRange | None) -> None:
    steps = getattr(pipeline, 'transforms', None)
    if not isinstance(steps, list):
        return
    steps[:] = [step for step in steps if not isinstance(step, LoadedLabels)]
    for step in steps:  # a test-time augmentation has pipelines of its own
        for inner in getattr(step, 'subroutines', None) or ():
            _look_in(inner, labels)
    loads = [i for i, step in enumerate(steps) if 'Load' in type(step).__name__]
    if labels is None or not loads or not all(map(_is_known, steps)):
        return
    last = loads[-1]
    bytes_only = type(steps[last]) is LoadAnnotations
    steps.insert(last + 1, LoadedLabels(labels, bytes_only))


def _is_known(step: Any) -> bool:
    """Whether a step, and what it holds, is of mmcv's, mmseg's or ours."""
    inner = getattr(step, 'transforms', None) or ()
    held = inner if isinstance(inner, list | tuple) else [inner]  # a Compose
    known = type(step).__module__.startswith(_KNOWN)
    return known and all(map(_is_known, held))
