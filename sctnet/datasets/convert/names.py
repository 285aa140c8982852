"""Naming the files that are made, each once."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...errors import DataError
from .annotated_images import Item


def output_name(path: str | os.PathLike) -> str:
    """Turn a relative path of the source into a name: folders kept, suffix dropped.

    Nothing in it leads out of the folder: ``..``, drives and leading slashes go.

    Raises:
        DataError: nothing is left.
    """
    text = re.sub(r'^[A-Za-z]:', '', os.fspath(path).replace('\\', '/'))
    # A leading dot would hide the file from the data set that reads it.
    parts = [part.lstrip('.') for part in text.split('/')]
    parts = [part for part in parts if part]
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # a JSON can hold what no file is called
        parts = []
    if not parts:
        raise DataError(
            f'{os.fspath(path)!r} is no name of an image: correct the entry'
        )
    stem, _, _ = parts[-1].rpartition('.')
    return '/'.join([*parts[:-1], stem or parts[-1]])


def make_unique(items: Sequence[Item]) -> list[Item]:
    """Tell images apart that differ in nothing but their suffix: ``a_jpg``, ``a_png``.

    They would share one label map.

    Raises:
        DataError: two have the same name all the same.
    """
    counts = Counter((item.split, item.name) for item in items)
    unique = [
        item
        if counts[item.split, item.name] == 1
        else replace(item, name=f'{item.name}_{item.image.suffix[1:]}')
        for item in items
    ]
    seen: dict[tuple[str | None, str], Item] = {}
    for item in unique:
        other = seen.setdefault((item.split, item.name), item)
        if other is not item:
            raise DataError(
                f"'{other.image}' and '{item.image}' would both become "
                f"'{item.name}': rename one, or list an image once"
            )
    return unique
