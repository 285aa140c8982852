"""What is wrong with the files of one sample: its image and its label map."""

import os
from collections.abc import Mapping
from typing import Any

from ...errors import ImageError
from ..bands import read_picture
from ..images import SUFFIXES, check_claim, looks_complete
from .inspection import misfit, read_labels


def quick_fault(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return path and fault of a file that loads but is not sound, without decoding.

    A picture that is cut off, which OpenCV fills with grey; headers that claim a size
    for which no memory is; an image and a label map of different sizes.

    Args:
        info: a sample's ``img_path`` and ``seg_map_path``, as mmseg's data sets give.

    Returns:
        None where nothing is wrong, or nothing can be told: loading will show.
    """
    paths = [path for path in _paths(info) if os.path.isfile(path)]
    if paths and _is_cut_off(paths[0]):
        return find_fault(info)
    sizes: list[Any] = []
    for path in paths:
        try:
            sizes.append(check_claim(path, path))
        except ImageError as error:
            return path, error.problem
    if len(paths) == 2 and None not in sizes and sizes[0] != sizes[1]:
        return paths[1], misfit(*sizes)
    return None


def find_fault(info: Mapping[str, Any]) -> tuple[str, str] | None:
    """Decode a sample's files; return path and fault of the broken one, or None.

    Of formats that are no pictures (arrays, volumes) only whether they are there.
    """
    sizes: list[tuple[int, ...]] = []
    for path, read in zip(_paths(info), (read_picture, read_labels), strict=False):
        if not os.path.isfile(path):
            return path, 'no such file'
        if not path.lower().endswith(SUFFIXES):
            return None
        try:
            sizes.append(read(path).shape[1::-1])
        except ImageError as error:
            return path, error.problem
        if sizes[0] != sizes[-1]:
            return path, misfit(*sizes)
    return None


def _paths(info: Mapping[str, Any]) -> list[str]:
    """The image's path and the label map's, of those that name files of this disk."""
    named = [info.get('img_path'), info.get('seg_map_path')]
    if named[0] is None or '://' in named[0]:
        return []
    return [path for path in named if path is not None]


def _is_cut_off(path: str) -> bool:
    """Whether a JPEG or PNG lacks its end."""
    try:
        with open(path, 'rb') as file:
            head = file.read(4)
            file.seek(max(0, os.fstat(file.fileno()).st_size - 64))
            known = head[:2] == b'\xff\xd8' or head == b'\x89PNG'
            return known and not looks_complete(head + file.read())
    except OSError:
        return True
