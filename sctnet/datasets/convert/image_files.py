"""Finding the image that an annotation names, however its tool wrote the name."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...files import find_files
from ..images import SUFFIXES
from .annotated_images import Noted

_SEVERAL = 'images not where they are named, of a name that several files have'
_PREFIX = re.compile('^[0-9a-f]{8}-')
_UPLOADED = re.compile('^/?data/upload/[0-9]+/')


class ImageFinder:
    """Finds images in folders, as they are named or by their last part alone.

    Args:
        folders: where to look; those that are not there are passed by.
        names: all that are named. A file that is one of them as it is written is never
            taken for another.
    """

    def __init__(self, folders: Sequence[Path], names: Iterable[str]) -> None:
        self.folders = folders
        found = map(self._as_written, names)
        self._named = {file.resolve() for file in found if file is not None}
        self._by_name: dict[str, list[Path]] | None = None

    def find(self, name: str, notes: Counter[str]) -> Path:
        """Return the image that ``name`` means; ``notes`` counts guesses.

        Folders may be divided by back slashes. A guess is the only file below the
        folders with the same last part, in any case, Unicode form or URL quoting, also
        without what Label Studio puts before it. Where none is found, it is the first
        place that was looked at.
        """
        file = self._as_written(name)
        if file is not None:
            return file
        last = _plain(unquote(name.replace('\\', '/')).rpartition('/')[2])
        for wanted in (last, _PREFIX.sub('', last)):
            same = self._listed().get(wanted, [])
            if len(same) == 1:
                notes[Noted('images found by the last part of their name alone')] += 1
                return same[0]
            if same:
                notes[_SEVERAL] += 1
                break
        return self.folders[0] / name

    def _as_written(self, name: str) -> Path | None:
        name = name.replace('\\', '/')
        for written in (name, unquote(name)):
            for folder in self.folders:
                if os.path.isfile(folder / written):
                    return folder / written
        return None

    def _listed(self) -> dict[str, list[Path]]:
        if self._by_name is None:
            self._by_name, seen = {}, set(self._named)
            for folder in self.folders:
                for file in find_files(folder, SUFFIXES) if folder.is_dir() else ():
                    if file.resolve() not in seen:
                        seen.add(file.resolve())
                        self._by_name.setdefault(_plain(file.name), []).append(file)
        return self._by_name


def without_upload(name: str) -> str:
    """Return a path without the folder on Label Studio's server."""
    return _UPLOADED.sub('', name)


def without_host(name: str) -> str:
    """Return the path of an address on the network; other names as they are."""
    return urlsplit(name).path.lstrip('/') if '://' in name else name


def _plain(name: str) -> str:
    return unicodedata.normalize('NFC', name).casefold()
