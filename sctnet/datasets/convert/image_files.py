"""Finding the image that an annotation names, however its tool wrote the name."""

import os
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from ...files import find_files
from ..images import SUFFIXES


def find_image(folders: Sequence[Path], name: str) -> Path:
    """Return the image that ``name`` means in one of ``folders``.

    First as it is written; then by its last part alone, in any case, Unicode form or
    URL quoting, if just one file below a folder has that name.

    Args:
        folders: where to look; those that are not there are passed by.
        name: a relative path.

    Returns:
        The file; where none is found, the first place that was looked at.
    """
    for written in (name, unquote(name)):
        for folder in folders:
            if os.path.isfile(folder / written):
                return folder / written
    wanted = _plain(Path(unquote(name)).name)
    for folder in folders:
        if folder.is_dir():
            same = _by_name(folder).get(wanted, ())
            if len(same) == 1:
                return same[0]
    return folders[0] / name


@lru_cache(maxsize=16)
def _by_name(folder: Path) -> dict[str, tuple[Path, ...]]:
    found: dict[str, tuple[Path, ...]] = {}
    for file in find_files(folder, SUFFIXES):
        key = _plain(file.name)
        found[key] = (*found.get(key, ()), file)
    return found


def _plain(name: str) -> str:
    return unicodedata.normalize('NFC', name).casefold()
