"""Naming the files that are made, each once, and sharing them out to train and val."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import ArgumentError, DataError
from .annotated_images import PARTS, Item


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


def split_by_folder(
    folder: Path, files: Iterable[Path], skipped: Counter[str]
) -> list[tuple[Path, str | None, str]]:
    """Return (file, split, name) of each file below ``folder``.

    Where ``folder`` has both ``train`` and ``val``, they are the splits, and files
    elsewhere are counted in ``skipped``; else the split is None.
    """
    divided = all((folder / part).is_dir() for part in PARTS)
    found: list[tuple[Path, str | None, str]] = []
    for file in files:
        relative = file.relative_to(folder)
        if not divided:
            found.append((file, None, output_name(relative)))
        elif relative.parts[0] in PARTS and len(relative.parts) > 1:
            name = output_name(Path(*relative.parts[1:]))
            found.append((file, relative.parts[0], name))
        else:
            skipped['files beside the folders train and val'] += 1
    return found


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


def assign_splits(items: Sequence[Item], share: float) -> list[Item]:
    """Give each item without a split one, by a hash of its name.

    An image keeps its part when others are added. At least one of two or more images
    goes to each part, unless ``share`` is 0.

    Args:
        items: those with a split keep it.
        share: of the images that go to 'val', from 0 to below 1.

    Raises:
        ArgumentError: ``share`` is out of range.
    """
    if not 0 <= share < 1:
        raise ArgumentError(f'--val is {share}: expected 0 to below 1, such as 0.1')
    spread = {item.name: _spread(item.name) for item in items if item.split is None}
    val = {name for name, value in spread.items() if value < share}
    if share and len(spread) > 1:
        ordered = sorted(spread, key=spread.__getitem__)
        val |= {ordered[0]}
        val -= {ordered[-1]}
    return [
        item
        if item.split
        else replace(item, split='val' if item.name in val else 'train')
        for item in items
    ]


def _spread(name: str) -> float:
    """Map a name to a number from 0 to 1, the same on every machine."""
    digest = hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64
