"""Sharing groups of images out so that each class is in all parts."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .annotated_images import IGNORED
from .converted import Converted
from .sharing import Splitting, spread
from .write_pair import Written


def stratify(
    groups: Mapping[str, Counter[int]],
    sizes: Mapping[str, int],
    shares: Mapping[str, float],
) -> dict[str, str]:
    """Share groups out, the rarest class first (Sechidis, Tsoumakas, Vlahavas 2011).

    A group goes where most of its rarest class is wanted: a part wants its share of
    each class's images, and one at least. The same groups give the same parts.

    Args:
        groups: of each, how many images have each class.
        sizes: images in each.
        shares: of the parts beside train.
    """
    whole = {'train': 1 - sum(shares.values()), **shares}
    total: Counter[int] = sum(groups.values(), Counter())
    wanted = {
        part: {label: max(1.0, share * total[label]) for label in total}
        for part, share in whole.items()
    }
    room = {part: share * sum(sizes.values()) for part, share in whole.items()}
    found: dict[str, str] = {}
    left = sorted(groups, key=spread)
    while left:
        holders = Counter(label for name in left for label in groups[name])
        rarest = min(holders, key=lambda label: (holders[label], label), default=-1)
        for name in left:
            if holders and rarest not in groups[name]:
                continue
            part = max(whole, key=lambda one: (wanted[one].get(rarest, 0), room[one]))
            found[name] = part
            room[part] -= sizes[name]
            for label, count in groups[name].items():
                wanted[part][label] -= count
        left = [name for name in left if name not in found]
    return _fill_parts(
        {name: found[name] for name in sorted(found, key=spread)}, shares
    )


def _fill_parts(found: dict[str, str], shares: Iterable[str]) -> dict[str, str]:
    """See that of few groups one is in each part all the same, the last for training.

    Args:
        found: part of each group, in any order that stays the same.
        shares: the parts beside train.
    """
    ordered, wanted = [*found], [*shares]
    if len(ordered) > len(wanted):
        if 'train' not in found.values():
            found[ordered[-1]] = 'train'
        for place, part in enumerate(wanted):
            if part not in found.values():
                found[ordered[place]] = part
    return found


def move_stratified(
    result: Converted,
    written: Sequence[Written | None],
    splitting: Splitting,
    folder: Path,
) -> None:
    """Give a part to the items that have none, and move their files there.

    Until now they lie with those for training.

    Args:
        result: has the items, and gets what could not be spread.
        written: what was made of each item.
        splitting: says the shares, and what stays together.
        folder: the data set.
    """
    open_ = [item.name for item in result.items if item.split is None]
    if not open_:
        return
    group_of = splitting.group_of
    classes: dict[str, Counter[int]] = {group_of(name): Counter() for name in open_}
    pairs = list(zip(result.items, written, strict=True))
    for item, one in pairs:
        if item.split is None and one is not None:
            present = one.pixels[:IGNORED].nonzero()[0].tolist()
            classes[group_of(item.name)].update(present)
    parts = {item.split for item in result.items} - {None, 'train'}
    shares = splitting.shares_beside(parts)
    found = stratify(classes, Counter(map(group_of, open_)), shares)
    for place, (item, one) in enumerate(pairs):
        part = item.split or found[group_of(item.name)]
        if part != (item.split or 'train') and one is not None:
            one.files = [_moved(pair, folder, part) for pair in one.files]
        result.items[place] = replace(item, split=part)
    # Of each class, the parts that it is in.
    places = Counter(
        label
        for part in ('train', *shares)
        for label in {
            one for name in found if found[name] == part for one in classes[name]
        }
    )
    few = [result.classes[one] for one in sorted(places) if places[one] <= len(shares)]
    if few:
        result.said.append(f'not in every part, for all --stratify: {", ".join(few)}')


def _moved(files: tuple[Path, Path], folder: Path, part: str) -> tuple[Path, Path]:
    image, mask = (
        folder / kind / part / file.relative_to(folder / kind / 'train')
        for kind, file in zip(('images', 'labels'), files, strict=True)
    )
    for old, new in zip(files, (image, mask), strict=True):
        new.parent.mkdir(parents=True, exist_ok=True)
        os.replace(old, new)
    return image, mask
