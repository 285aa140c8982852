"""Lists of the images of each part: folders of text files, or a JSON."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import DataError
from ..images import SUFFIXES
from .annotated_images import PARTS, Item
from .annotation_files import read_json, read_text
from .names import output_name
from .splits import part_of


def by_lists(items: Sequence[Item], place: Path, skipped: Counter[str]) -> list[Item]:
    """Return the items that a list names, in its part; see ``read_lists``."""
    listed = read_lists(place)
    # A list may have fewer folders than the names here, or more.
    ends = Counter(name.rpartition('/')[2] for name in listed)
    short = {n.rpartition('/')[2]: n for n in listed if ends[n.rpartition('/')[2]] == 1}
    kept, used = [], set()
    for item in items:
        last = item.name.rpartition('/')[2]
        name = item.name if item.name in listed else short.get(last)
        if name is None or not (name.endswith(item.name) or item.name.endswith(name)):
            skipped['images that no list names'] += 1
        else:
            used.add(name)
            kept.append(replace(item, split=listed[name]))
    if len(used) < len(listed):
        first = next(name for name in listed if name not in used)
        reason = f"names in lists that are no image, such as '{first}'"
        skipped[reason] += len(listed) - len(used)
    return kept


def _listed_name(line: str) -> str:
    """Return the image of a line, which may name its mask behind it."""
    for place in (match.start() for match in re.finditer(r'[\s,]', line)):
        if line[:place].lower().endswith(SUFFIXES):
            return line[:place]
    return line


def _plain_name(name: str) -> str:
    """Return a name without the ending of an image, if it has one."""
    known = name.lower().endswith(SUFFIXES)
    return output_name(name if known else f'{name}.x')


def read_lists(place: Path) -> dict[str, str | None]:
    """Return the part of each listed name, without its suffix.

    Args:
        place: a folder of lists such as ``train.txt``, or a JSON ``{"train": [...]}``.
            Of a line with several columns the first counts. Lists of other names, such
            as CVAT's ``default.txt``, count where no part has one; they name no part.

    Raises:
        DataError: it cannot be read, lists nothing, or one name in two parts.
    """
    lists: dict[str | None, Sequence[object]] = {}
    if place.is_dir():
        files = sorted(place.glob('*.txt'))
        for file in [f for f in files if part_of(f.stem)] or files:
            lines = (line.strip() for line in read_text(file).splitlines())
            listed = [_listed_name(line) for line in lines if line]
            part = part_of(file.stem)
            lists[part] = [*lists.get(part, ()), *listed]
    else:
        form = json.dumps({'train': ['a', 'b'], 'val': ['c']})
        for key, names in read_json(place, form).items():
            if part_of(key) is None or not isinstance(names, list):
                raise DataError(
                    f"'{place}' has {key!r}: expected lists of names under train, val "
                    f'and test, such as {form}'
                )
            lists[part_of(key)] = names
    found: dict[str, str | None] = {}
    for part, names in lists.items():
        for name in map(_plain_name, map(str, names)):
            if found.setdefault(name, part) != part:
                raise DataError(
                    f"'{name}' is in the lists of {found[name]} and of {part} in "
                    f"'{place}': take it out of one"
                )
    if not found:
        raise DataError(
            f"'{place}' has no list of a part: expected {', '.join(PARTS)} as .txt "
            'files, or one JSON'
        )
    return found
