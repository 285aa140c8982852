"""One image and its label map on their way to a store."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from ...compat.config_types import kind_of
from ...errors import DataError
from ...files import atomic_path
from ..check.inspection import misfit
from ..check.sample_files import find_fault, quick_fault
from ..store.index import DAMAGED, Entry, describe, file_of, read_array
from ..transforms.any_bands import read_alike


class Reader(NamedTuple):
    """A transform that decodes a file, and its name in the index."""

    transform: BaseTransform
    name: str


def find_reader(dataset: Mapping[str, Any], kind: str) -> Reader | None:
    """Build the loading transform of a data set's config; None if it has none such.

    Args:
        dataset: the config.
        kind: ``LoadImageFromFile`` or ``LoadAnnotations``, which is built so that it
            leaves a label map's values as they are.
    """
    steps = [s for s in dataset.get('pipeline') or () if kind_of(s) == kind]
    if not steps:
        return None
    plain = {k: v for k, v in steps[0].items() if k != 'reduce_zero_label'}
    built = [TRANSFORMS.build(plain)]
    read_alike(built)
    return Reader(built[0], describe(steps[0]))


@dataclass(frozen=True)
class SourceFile:
    """An image or a label map, how it is read, and its key in the store."""

    path: str
    key: str
    reader: Reader

    def decode(self) -> np.ndarray:
        """Return what the reader loads, (H, W) or (H, W, C)."""
        results: dict[str, Any] = {'img_path': self.path, 'seg_map_path': self.path}
        results |= {'reduce_zero_label': False, 'label_map': None, 'seg_fields': []}
        loaded = self.reader.transform(results)
        return loaded['gt_seg_map' if loaded['seg_fields'] else 'img']

    def entry(self) -> Entry:
        """Return the index's entry of the file as it is now."""
        try:
            found = os.stat(self.path)
        except OSError:
            return Entry(0, 0, self.reader.name)
        return Entry(found.st_size, found.st_mtime_ns, self.reader.name)

    def is_stored(self, folder: Path, entries: Mapping[str, Entry]) -> bool:
        """Whether the store has it, whole and of today.

        Raises:
            DataError: the store has it as another transform reads it.
        """
        entry = entries.get(self.key)
        if entry is None or entry.fault is not None or not entry.is_of(self.path):
            return False
        if entry.reader != self.reader.name:
            raise DataError(
                f"'{folder}' has '{self.key}' as {entry.reader} reads it, and this "
                f'config has {self.reader.name}: name another folder with --out'
            )
        try:
            read_array(folder, self.key)
        except DAMAGED:
            return False
        return True

    def write(self, folder: Path, array: np.ndarray) -> None:
        """Write what was decoded, whole or not at all; raises OutputError."""
        target = file_of(folder, self.key)
        with atomic_path(target) as temporary, temporary.open('wb') as file:
            np.save(file, array, allow_pickle=False)


Pair = tuple[SourceFile, ...]  # an image, and its label map if it has one


def store_pair(folder: Path, pair: Pair) -> dict[str, Entry]:
    """Write what can be decoded; return the index's entries, faults among them.

    Nothing is stored behind a broken file, as a training does not get there.
    """
    paths = (file.path for file in pair)
    info = dict(zip(('img_path', 'seg_map_path'), paths, strict=False))
    known = quick_fault(info)
    entries: dict[str, Entry] = {}
    image_size: tuple[int, ...] = ()
    for file in pair:
        entry = file.entry()  # of before it is read: it may change meanwhile
        array, fault = _decode(file, info, known, image_size)
        entries[file.key] = entry._replace(fault=fault)
        if array is None:
            break
        image_size = array.shape[:2]
        file.write(folder, array)
    return entries


def _decode(
    file: SourceFile,
    info: Mapping[str, str],
    known: tuple[str, str] | None,
    image_size: tuple[int, ...],
) -> tuple[np.ndarray | None, str | None]:
    """Return the pixels, or what is wrong with them."""
    if known and known[0] == file.path:
        return None, known[1]
    try:
        array = file.decode()
    except Exception:  # whatever a library makes of damaged bytes
        path, fault = find_fault(info) or ('', None)
        if path != file.path:
            raise
        return None, fault
    if image_size and array.ndim != 2:
        return None, f'{array.shape[2]} channels, one was expected'
    if image_size and array.shape != image_size:
        return None, misfit(image_size[::-1], array.shape[::-1])
    return array, None
