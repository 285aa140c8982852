"""A folder of decoded images and label maps, and the index of what they were made from.

Each is a file of numpy's, at its source's path below the folder: no decoding, and of
an image of which a part is wanted only that part is read. ``index.jsonl`` has a line
for each; of several for one file the last counts.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...compat.config_types import kind_of
from ...errors import BrokenFileError, DataError, OutputError

INDEX = 'index.jsonl'
DAMAGED = (OSError, EOFError, ValueError)  # of a stored file that is not whole
# How a file is got to, or what is made of a label map's values afterwards.
_NOT_PIXELS = (
    *('type', '_scope_', 'backend_args', 'file_client_args', 'ignore_empty'),
    'reduce_zero_label',
)


class Entry(NamedTuple):
    """What was stored of a file.

    Attributes:
        size: of the source in bytes.
        mtime_ns: when the source was last changed.
        reader: the transform that decoded it, as :func:`describe` says it.
        fault: why it could not be decoded; None if it was.
    """

    size: int
    mtime_ns: int
    reader: str
    fault: str | None = None

    def is_of(self, path: str | os.PathLike) -> bool:
        """Whether ``path`` is as it was when it was stored; also where it is gone."""
        try:
            found = os.stat(path)
        except OSError:
            return True
        return found.st_size == self.size and found.st_mtime_ns <= self.mtime_ns


class Store:
    """Reads what ``sctnet prepare store`` wrote.

    Args:
        folder: of the store.

    Raises:
        DataError: there is no store, or its index cannot be read.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)
        if not (self.folder / INDEX).is_file():
            raise DataError(
                f"there is no store in '{folder}' (no {INDEX}): make it with sctnet "
                f'prepare store CONFIG --out {folder}, or correct the folder'
            )
        self.entries = read_index(self.folder)

    def read(self, path: str, root: str | None, reader: str) -> np.ndarray:
        """Return the stored pixels of a file; they are read where they are used.

        Args:
            path: of the source.
            root: folder of the data set, as its ``data_root``.
            reader: the transform that would decode it, see :func:`describe`.

        Returns:
            An array that may be written to; the store stays as it is.

        Raises:
            DataError: the file is not in the store, or has changed since, or was
                decoded in another way.
            BrokenFileError: it could not be decoded, or the stored one is damaged.
        """
        key = key_of(path, root)
        entry = self.entries.get(key)
        again = f'sctnet prepare store CONFIG --out {self.folder}'
        if entry is None:
            raise DataError(f"the store has no '{key}': add what is new with {again}")
        if not entry.is_of(path):
            raise DataError(f"'{path}' has changed since it was stored: run {again}")
        if entry.reader != reader:
            raise DataError(
                f"'{path}' was stored as {entry.reader} reads it, and this config has "
                f'{reader}: make a store of its own, with another --out'
            )
        if entry.fault is not None:
            raise BrokenFileError.of(path, entry.fault)
        try:
            return read_array(self.folder, key)
        except DAMAGED as error:
            stored = str(file_of(self.folder, key))
            raise BrokenFileError.of(
                stored, f'{error}; {again} makes it again'
            ) from error


def open_store(folder: str) -> Store:
    """Return the store of a folder, read once a process; raises DataError."""
    index = Path(folder, INDEX)
    found = index.stat() if index.is_file() else None
    return _open_store(folder, found and (found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=8)
def _open_store(folder: str, _state: tuple[int, int] | None) -> Store:
    return Store(folder)


def read_index(folder: Path) -> dict[str, Entry]:
    """Return what a store's index says of each key; empty if there is none.

    A line that a killed process left unfinished counts nothing: its file is not there.

    Raises:
        DataError: the index cannot be read.
    """
    try:
        lines = (folder / INDEX).read_text(encoding='utf-8').splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"'{folder / INDEX}' cannot be read ({error}): delete the store's folder "
            'and make it again with sctnet prepare store'
        ) from error
    entries: dict[str, Entry] = {}
    for line in lines:
        with contextlib.suppress(ValueError, TypeError):
            key, *values = json.loads(line)
            entries[key] = Entry(*values)
    return entries


def append_to_index(folder: Path, entries: Mapping[str, Entry]) -> None:
    """Add lines for ``entries``, below their keys; raises OutputError."""
    lines = ''.join(f'{json.dumps([k, *entry])}\n' for k, entry in entries.items())
    try:
        with (folder / INDEX).open('a+b') as file:
            if file.tell():  # behind what a killed process left unfinished
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read() == b'\n' else f'\n{lines}'
            file.write(lines.encode())
    except OSError as error:
        raise OutputError(
            f"cannot write '{folder / INDEX}' ({error.strerror}): make room there, or "
            'name another folder with --out'
        ) from error


def key_of(path: str | os.PathLike, root: str | None) -> str:
    """Name a file in a store: the name of its data set's folder, and the path in it."""
    place, base = os.path.abspath(path), os.path.abspath(root or os.curdir)
    if root and place.startswith(base.rstrip(os.sep) + os.sep):
        place = os.path.join(os.path.basename(base), os.path.relpath(place, base))
    return os.path.splitdrive(place)[1].replace(os.sep, '/').lstrip('/')


def file_of(folder: Path, key: str) -> Path:
    """Return the path of what is stored for ``key``."""
    return folder / f'{key}.npy'


def read_array(folder: Path, key: str) -> np.ndarray:
    """Map a stored file into memory; raises one of DAMAGED if it is not whole.

    What is written to the array stays in this process.
    """
    return np.asarray(np.load(file_of(folder, key), mmap_mode='c'))


def describe(step: Mapping[str, Any]) -> str:
    """Return a loading transform's name and those options that pixels depend on."""
    options = (f'{k}={step[k]!r}' for k in sorted(step) if k not in _NOT_PIXELS)
    return f'{kind_of(step)}({", ".join(options)})'
