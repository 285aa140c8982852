"""The two files of a sample: whether they are there, whole, and fit each other."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..datasets.check.inspection import read_labels
from ..datasets.images import (
    MAX_PIXELS,
    SUFFIXES,
    claimed_size,
    looks_complete,
    read_image,
)
from ..errors import ImageError


class FirstLook:
    """Looks at the files of each sample once, without decoding them.

    Args:
        dataset: names a sample's files by ``get_data_info``; without that, or where
            they lie elsewhere than on this disk, nothing is looked at.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._here = hasattr(dataset, 'get_data_info') and not getattr(
            dataset, 'backend_args', None
        )
        self._seen = bytearray()

    def fault(self, index: int) -> tuple[str, str] | None:
        """Return path and fault of a file that cannot be sound; None after the first.

        Raises:
            IndexError: there is no such sample.
        """
        if not self._here:
            return None
        if not self._seen:
            self._seen = bytearray(len(self._dataset))
        if self._seen[index]:
            return None
        fault = glance(self._dataset.get_data_info(index))
        self._seen[index] = fault is None
        return fault

    def explain(self, index: int) -> tuple[str, str] | None:
        """Return path and fault of what broke sample ``index``; None if no file did."""
        return find_fault(self._dataset.get_data_info(index)) if self._here else None


def glance(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Look at the end of the image, and at what both headers claim.

    Args:
        info: a sample's ``img_path`` and ``seg_map_path``.

    Returns:
        Path and fault; None where nothing is wrong, or cannot be told without
        decoding: the pipeline will see.
    """
    paths = _paths(info)
    if not paths:
        return None
    if _is_cut_off(paths[0]):
        return find_fault(info)
    sizes: list[Any] = []
    for path in paths:
        size = claimed_size(path)
        if size is not None and size[0] * size[1] > MAX_PIXELS:
            return path, f'claims more than {MAX_PIXELS:,} pixels'
        sizes.append(size)
    if len(paths) == 2 and None not in sizes and sizes[0] != sizes[1]:
        return paths[1], _misfit(*sizes)
    return None


def _paths(info: Mapping[str, Any]) -> list[str]:
    """The image's path and the label map's, of those that name files."""
    named = [info.get('img_path'), info.get('seg_map_path')]
    if named[0] is None or '://' in named[0]:
        return []
    return [path for path in named if path is not None]


def _is_cut_off(path: str) -> bool:
    """Whether a JPEG or PNG lacks its end; OpenCV would fill it with grey."""
    try:
        with open(path, 'rb') as file:
            head = file.read(4)
            file.seek(max(0, os.fstat(file.fileno()).st_size - 64))
            known = head[:2] == b'\xff\xd8' or head == b'\x89PNG'
            return known and not looks_complete(head + file.read())
    except OSError:
        return True


def _misfit(image: Sequence[int], labels: Sequence[int]) -> str:
    return f'image {image[0]}x{image[1]}, label map {labels[0]}x{labels[1]}'


def find_fault(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Decode a sample's files; return path and fault of the broken one, or None.

    Of formats that are no pictures (arrays, volumes) only whether they are there.
    """
    sizes: list[Any] = []
    for path in _paths(info):
        if not os.path.isfile(path):
            return path, 'no such file'
        if not path.lower().endswith(SUFFIXES):
            return None
        if not sizes:
            try:
                sizes.append(read_image(path, smallest=1).shape[1::-1])
            except ImageError as error:
                return path, error.problem
            continue
        labels = read_labels(path)
        if isinstance(labels, str):
            return path, labels
        if labels.shape[1::-1] != sizes[0]:
            return path, _misfit(sizes[0], labels.shape[1::-1])
    return None
