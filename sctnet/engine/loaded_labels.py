"""Looks at a label map as its file has it, before anything is cropped off it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..datasets.check.sample_files import read_labels
from ..datasets.check_labels import check_labels
from ..errors import BrokenFileError, DataError, ImageError
from .label_range import LabelRange

LABELS = 'gt_seg_map'
_WIDE = ('I', 'F')  # how Pillow's modes of more than a byte begin
_KNOWN = ('mmcv.', 'mmseg.', 'sctnet.')


class LoadedLabels:
    """A step of a pipeline that finds labels which are no classes.

    Args:
        labels: what they may be.

    Raises:
        BrokenFileError: the file has colours in the place of class indices.
        DataError: a label is outside; or the file's were, of more than 8 bits, and
            mmseg kept the last 8.
    """

    def __init__(self, labels: LabelRange) -> None:
        self.labels = labels

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Look at the label map of ``results``, and return them as they are."""
        values, path = results.get(LABELS), results.get('seg_map_path')
        if not isinstance(values, np.ndarray):
            return results
        if values.ndim != 2:
            raise BrokenFileError.of(
                str(path),
                f'{values.shape[-1]} channels: it takes one class index a pixel; '
                'sctnet convert colours makes them of colours',
            )
        if isinstance(path, str) and values.dtype == np.uint8:
            _check_file(path)
        where = f"'{path}'" if path else 'a label map'
        same = torch.from_numpy(np.ascontiguousarray(values))
        check_labels(same, self.labels.count, self.labels.ignored, where)
        return results


def _check_file(path: str) -> None:
    """See that a file holds bytes, whatever its type."""
    try:
        with Image.open(path) as image:
            wide = image.mode.startswith(_WIDE)
        most = int(read_labels(path).max()) if wide else 0
    except (OSError, ImageError):  # elsewhere than on this disk, or no picture
        return
    if most > 255:
        raise DataError(
            f"'{path}' has labels up to {most}, and mmseg's LoadAnnotations keeps 8 "
            'bits of each: write label maps of 8 bits, 255 to ignore'
        )


def look_at_labels(datasets: Iterable[Any], labels: LabelRange | None) -> None:
    """Let :class:`LoadedLabels` into the pipelines of data sets, once in each.

    It comes after what loads the labels and what a user's own steps make of them, and
    before the first other step of mmcv's, mmseg's or ours, which may crop.

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
    loads = [i for i, step in enumerate(steps) if _loads_labels(step)]
    if labels is None or not loads:
        return
    place = loads[-1] + 1
    while place < len(steps) and not _is_known(steps[place]):
        place += 1
    steps.insert(place, LoadedLabels(labels))


def _loads_labels(step: Any) -> bool:
    return any('Load' in cls.__name__ for cls in type(step).__mro__) and _is_known(step)


def _is_known(step: Any) -> bool:
    return type(step).__module__.startswith(_KNOWN)
