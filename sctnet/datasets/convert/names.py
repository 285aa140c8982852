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


def make_unique(items: Sequence[Item], said: list[str], beside: str = '') -> list[Item]:
    """Tell images of one name apart: ``a_jpg``, ``a_png``, ``a_png_2``; it is ``said``.

    They would share one label map. Those without a part yet are written ``beside`` the
    images of that part.

    Raises:
        DataError: one image is there twice.
    """
    places = [(item.split or beside, item.name) for item in items]
    counts = Counter(places)
    taken = {place for place in places if counts[place] == 1}
    images: set[tuple[str, str]] = set()
    unique = []
    for (part, name), item in zip(places, items, strict=True):
        image = part, str(item.image)
        if image in images and counts[part, name] > 1:
            raise DataError(
                f"'{item.image}' is there twice, and would both times become "
                f"'{name}': list an image once"
            )
        images.add(image)
        if counts[part, name] > 1:
            first = name = f'{name}_{item.image.suffix[1:]}'
            number = 2
            while (part, name) in taken:
                name, number = f'{first}_{number}', number + 1
            taken.add((part, name))
            item = replace(item, name=name)
        unique.append(item)
    new = [item.name for item, old in zip(unique, items, strict=True) if item != old]
    if new:
        said.append(f"told apart: {len(new)} images of one name, such as '{new[0]}'")
    return unique
