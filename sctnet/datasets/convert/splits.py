"""Sharing images out to train, val and test: as the source does, or anew."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ArgumentError, DataError
from ..images import SUFFIXES
from .annotated_images import PARTS, Item
from .annotation_files import read_json, read_text
from .names import output_name

# What tools and people call the parts, in small letters.
USUAL_NAMES = {
    **dict.fromkeys(('train', 'training', 'trn'), 'train'),
    **dict.fromkeys(('val', 'valid', 'validation', 'dev'), 'val'),
    **dict.fromkeys(('test', 'testing', 'tst'), 'test'),
}


def part_of(name: str) -> str | None:
    """Return the part that a folder or list of this name holds; None for others."""
    return USUAL_NAMES.get(name.lower())


def without_part(path: Path) -> tuple[str | None, Path]:
    """Return the part that a relative path's folders name, and the path without it."""
    for index, folder in enumerate(path.parts[:-1]):
        part = part_of(folder)
        if part is not None:
            return part, Path(*path.parts[:index], *path.parts[index + 1 :])
    return None, path


def split_by_folder(
    folder: Path, files: Iterable[Path], skipped: Counter[str]
) -> list[tuple[Path, str | None, str]]:
    """Return (file, split, name) of each file below ``folder``.

    Folders of a usual name, one of them for training, are the splits. Files elsewhere
    are then counted in ``skipped``. Without such folders the split is None.
    """
    found = [(file, *without_part(file.relative_to(folder))) for file in files]
    if all(part != 'train' for _, part, _ in found):
        return [(f, None, output_name(f.relative_to(folder))) for f, _, _ in found]
    skipped['files beside the folders of the parts'] += sum(
        part is None for _, part, _ in found
    )
    skipped += Counter()  # drops a zero
    return [(f, part, output_name(rest)) for f, part, rest in found if part is not None]


@dataclass(frozen=True)
class Splitting:
    """How images without a part of their own are shared out.

    Args:
        val: share of the images that are validated on, from 0 to below 1.
        test: share of those kept for a test.
        group: a regular expression; images whose names agree in what it finds (its
            first group, if it has one) stay together, such as the frames of a video.
        lists: a folder of ``train.txt``, ``val.txt`` and ``test.txt``, or a JSON of
            such lists, by name: they take the place of the source's own parts.

    Raises:
        ArgumentError: a share is out of range, or the expression is none.
    """

    val: float = 0.1
    test: float = 0.0
    group: str | None = None
    lists: Path | None = None

    def __post_init__(self) -> None:
        for name in ('val', 'test'):
            share = getattr(self, name)
            if not 0 <= share < 1:
                raise ArgumentError(
                    f'--{name} is {share}: expected 0 to below 1, such as 0.1'
                )
        if not self.val + self.test < 1:
            raise ArgumentError(
                f'--val {self.val} and --test {self.test} leave nothing to train on: '
                'expected less than 1 together'
            )
        if self.group is not None:
            try:
                re.compile(self.group)
            except re.error as error:
                raise ArgumentError(
                    f'--group {self.group!r} is no regular expression ({error}): write '
                    "one such as '^[^_]+'"
                ) from error


def assign_splits(
    items: Sequence[Item], splitting: Splitting, skipped: Counter[str]
) -> list[Item]:
    """Give each item without a split one, by a hash of its name or group.

    An image keeps its part when others are added. At least one of the groups goes to
    each part that has a share, where there are so many. Where the source has parts of
    its own and none to validate on, that is taken from what is trained on.

    Args:
        items: those with a split keep it.
        splitting: how.
        skipped: counts what is in no list.

    Raises:
        DataError: the lists cannot be read, or one image is in two.
    """
    if splitting.lists is not None:
        items = by_lists(items, splitting.lists, skipped)
        if all(item.split is not None for item in items):
            return items
    open_items = [item for item in items if item.split is None]
    parts = {item.split for item in items} - {None}
    if parts and 'val' not in parts:
        open_items = [item for item in items if item.split in (None, 'train')]
    group_of = _grouping(splitting.group)
    part_by_group = _share_out({group_of(item.name) for item in open_items}, splitting)
    chosen = {id(item) for item in open_items}
    return [
        replace(item, split=part_by_group[group_of(item.name)])
        if id(item) in chosen
        else item
        for item in items
    ]


def _grouping(pattern: str | None) -> Callable[[str], str]:
    if pattern is None:
        return lambda name: name

    def group(name: str) -> str:
        match = re.search(str(pattern), name)
        if match is None:
            return name
        return next((one for one in match.groups() if one is not None), match.group())

    return group


def _share_out(groups: set[str], splitting: Splitting) -> dict[str, str]:
    ordered = sorted(groups, key=_spread)
    found = {
        name: 'val'
        if _spread(name) < splitting.val
        else 'test'
        if _spread(name) < splitting.val + splitting.test
        else 'train'
        for name in ordered
    }
    # Of few, one of each part all the same; the last is for training.
    wanted = [part for part in ('val', 'test') if getattr(splitting, part)]
    if len(ordered) > len(wanted):
        found[ordered[-1]] = 'train'
        for place, part in enumerate(wanted):
            if part not in found.values():
                found[ordered[place]] = part
    return found


def _spread(name: str) -> float:
    """Map a name to a number from 0 to 1, the same on every machine."""
    digest = hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64


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
        skipped['names in lists that are no image'] += len(listed) - len(used)
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
