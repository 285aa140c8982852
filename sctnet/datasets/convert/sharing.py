"""Sharing images out to train, val and test, where the source does not."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import ArgumentError
from .annotated_images import PARTS, Item
from .split_lists import by_lists
from .splits import is_doubtful

SHARES = {'val': 0.1, 'test': 0.0}  # where none are given


@dataclass(frozen=True)
class Splitting:
    """How images without a part of their own are shared out.

    Args:
        val: share of the images that are validated on, from 0 to below 1; a tenth.
        test: share of those kept for a test; none.
        group: a regular expression; images whose names agree in what it finds (its
            first group, if it has one) stay together, such as the frames of a video.
        lists: a folder of ``train.txt``, ``val.txt`` and ``test.txt``, or a JSON of
            such lists, by name: they take the place of the source's own parts.
        stratify: spread each class's images over the parts.

    Raises:
        ArgumentError: a share is out of range, or the expression is none.
    """

    val: float | None = None
    test: float | None = None
    group: str | None = None
    lists: Path | None = None
    stratify: bool = False

    def __post_init__(self) -> None:
        for name, share in self.shares().items():
            if not 0 <= share < 1:
                raise ArgumentError(
                    f'--{name} is {share}: expected 0 to below 1, such as 0.1'
                )
        if not sum(self.shares().values()) < 1:
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

    def shares(self) -> dict[str, float]:
        """Return the shares of val and test."""
        given = {'val': self.val, 'test': self.test}
        return {
            name: SHARES[name] if share is None else share
            for name, share in given.items()
        }

    def shares_beside(self, parts: Collection[str | None]) -> dict[str, float]:
        """Return the shares to fill: of parts that the source lacks, or of all."""
        all_ = {name: share for name, share in self.shares().items() if share}
        return {n: share for n, share in all_.items() if n not in parts} or all_

    def group_of(self, name: str) -> str:
        """Return what tells the group of an image; it is its name without ``group``."""
        match = re.search(self.group, name) if self.group is not None else None
        if match is None:
            return name
        return next((one for one in match.groups() if one is not None), match.group())

    def given(self, *names: str) -> list[str]:
        """Return the options, of ``names``, that were chosen."""
        return [name for name in names if getattr(self, name) not in (None, False)]


def assign_splits(
    items: Sequence[Item],
    splitting: Splitting,
    skipped: Counter[str],
    said: list[str],
) -> list[Item]:
    """Give each item without a split one, by a hash of its name or group.

    Of the groups, a part gets its share, rounded, and one at least where there are so
    many. The same names give the same parts. Where the source has parts of its own,
    those that it lacks are taken from what is trained on. With ``stratify`` the split
    stays None until the classes of each image are known.

    Args:
        items: those with a split keep it.
        splitting: how.
        skipped: counts what is in no list.
        said: gets what the options could not do.

    Raises:
        ArgumentError: the groups are none.
        DataError: the lists cannot be read, or one image is in two.
    """
    if splitting.lists is not None:
        items = by_lists(items, splitting.lists, skipped)
        if all(item.split is not None for item in items):
            unused = splitting.given('val', 'test', 'group', 'stratify')
            if unused:
                said.append(f'not used, as there are lists: {_options(unused)}')
            return [*items]
    parts = Counter(item.split for item in items if item.split)
    shares = splitting.shares_beside(parts)
    free = {None, 'train'} if parts and parts.keys().isdisjoint(shares) else {None}
    chosen = {place for place, item in enumerate(items) if item.split in free}
    if parts:
        _say_parts(items, parts, splitting, bool(chosen), said)
    if not chosen:
        return [*items]
    names = [items[place].name for place in chosen]
    _say_doubtful(names, said)
    _check_groups(splitting, names, len(shares) + 1, said)
    if splitting.stratify:
        return [
            replace(item, split=None) if place in chosen else item
            for place, item in enumerate(items)
        ]
    group_of = splitting.group_of
    part_of = _share_out({group_of(name) for name in names}, shares)
    return [
        replace(item, split=part_of[group_of(item.name)]) if place in chosen else item
        for place, item in enumerate(items)
    ]


def _options(names: Iterable[str]) -> str:
    return ', '.join(f'--{name}' for name in names)


def _say_parts(
    items: Sequence[Item],
    parts: Counter[str],
    splitting: Splitting,
    shared: bool,
    said: list[str],
) -> None:
    """Say which options do nothing for a source with parts of its own."""
    unused = splitting.given(*(part for part in ('val', 'test') if part in parts))
    unused += [] if shared else splitting.given('group', 'stratify')
    if unused:
        listed = ', '.join(f'{parts[part]} {part}' for part in PARTS if parts[part])
        said.append(
            f'not used, as the data have parts of their own ({listed}): '
            f'{_options(unused)}; --lists shares out anew'
        )
    outside = [item.name for item in items if item.split is None]
    if outside:
        said.append(
            f'shared out, as they are in none of the parts: {len(outside)} images, '
            f"such as '{outside[0]}'"
        )


def _say_doubtful(names: Iterable[str], said: list[str]) -> None:
    folders = {folder for name in names for folder in name.split('/')[:-1]}
    for folder in sorted(filter(is_doubtful, folders)):
        said.append(
            f"the folder '{folder}' looks like a part, and its images are shared out "
            'with the others: rename it to train, val or test if it is one, or give '
            '--lists'
        )


def _check_groups(
    splitting: Splitting, names: Sequence[str], parts: int, said: list[str]
) -> None:
    """See that ``group`` is in a name, and makes a group for each of the parts.

    Raises:
        ArgumentError: it is not, or does not.
    """
    if splitting.group is None:
        return
    lost = [name for name in names if not re.search(splitting.group, name)]
    count = len({splitting.group_of(name) for name in names})
    if len(lost) == len(names):
        problem = f'is in none of the {len(names)} names'
    elif count < parts <= len(names):
        problem = f'makes {count} groups, and there are {parts} parts to fill'
    else:
        if lost:
            said.append(
                f'on their own, as --group is not in their names: {len(lost)} images, '
                f"such as '{lost[0]}'"
            )
        return
    raise ArgumentError(
        f"--group {splitting.group!r} {problem}: names are such as '{names[0]}'; write "
        "an expression that tells groups apart, such as '^[^_]+'"
    )


def _share_out(groups: set[str], shares: dict[str, float]) -> dict[str, str]:
    """Give the first groups by their hash to val, and the last ones to test."""
    ordered, count = sorted(groups, key=spread), len(groups)
    wanted = [*shares]  # one of each part first, and the last one is for training
    for part, share in shares.items():
        wanted += [part] * (round(share * count) - 1)
    counts = Counter(wanted[: count - 1])
    return {
        **dict.fromkeys(ordered, 'train'),
        **dict.fromkeys(ordered[: counts['val']], 'val'),
        **dict.fromkeys(ordered[count - counts['test'] :], 'test'),
    }


def spread(name: str) -> float:
    """Map a name to a number from 0 to 1, the same on every machine."""
    digest = hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64
