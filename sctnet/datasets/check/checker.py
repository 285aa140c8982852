"""Inspects all pairs in parallel, and adds up what they hold."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from mmengine.config import Config

from ...errors import SCTNetError
from ..parallel import run_all
from .faults import KINDS, Fault
from .inspection import Inspection, inspect_pair
from .pairs import SPLITS, Pair, Part, list_parts


@dataclass
class Share:
    """What the label maps of one part hold in all.

    Attributes:
        pixels: of each class, int64 (K,).
        images: how many images have a pixel of each class, int64 (K,).
        ignored: pixels that count nothing.
        stored: pixels of each stored byte, int64 (256,).
        sizes: how many images have each (width, height).
        read: images that were inspected.
    """

    pixels: np.ndarray
    images: np.ndarray
    ignored: int = 0
    stored: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    sizes: Counter = field(default_factory=Counter)
    read: int = 0


@dataclass
class CheckResult:
    """All that a check found.

    Attributes:
        parts: the data sets, in the order train, val.
        shares: of each part's name, what its label maps hold.
        faults: in the order of ``KINDS``, serious ones first.
    """

    parts: list[Part]
    shares: dict[str, Share]
    faults: list[Fault]

    @property
    def serious(self) -> list[Fault]:
        """Faults by which a training fails or learns nonsense."""
        return [fault for fault in self.faults if fault.serious]

    @property
    def warnings(self) -> list[Fault]:
        """Faults that a training survives."""
        return [fault for fault in self.faults if not fault.serious]


def check_config(
    cfg: Config,
    workers: int | None = None,
    most: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    splits: Iterable[str] = SPLITS,
) -> CheckResult:
    """Inspect the pairs of every data set that ``cfg`` trains or validates on.

    Args:
        cfg: the config.
        workers: threads; 0 works in the caller's, None takes one a core.
        most: how many pairs of each part, spread evenly; None takes all.
        progress: called as progress(done, total) after every pair.
        splits: other than train and val, such as test.

    Raises:
        ArgumentError: ``workers`` is negative.
        ConfigError: the config is not sound, or a data set cannot be built.
        DataError: a folder is not there.
    """
    parts = list(list_parts(cfg, splits))
    jobs = [(part, pair) for part in parts for pair in _spread(part.pairs, most)]
    shares = {part.name: _empty(part) for part in parts}
    faults = [fault for part in parts for fault in part.faults]
    pictures: defaultdict[bytes, list[tuple[str, str]]] = defaultdict(list)
    with closing(run_all(lambda job: inspect_pair(*job), jobs, workers)) as inspected:
        for done, ((part, pair), found) in enumerate(inspected, 1):
            if isinstance(found, SCTNetError):
                raise found
            _add(shares[part.name], part, found)
            faults += found.faults
            if found.digest:
                pictures[found.digest].append((part.name, pair.image))
            if progress is not None:
                progress(done, len(jobs))
    faults += _repeated(pictures.values())
    same = list(_of_one_value(parts, shares))
    known = {fault.part for fault in same}  # and no shift would mend it
    shifted = list(_shifted((part for part in parts if part.name not in known), shares))
    faults += same + shifted
    # That a class is never seen follows from a shift.
    sure = {fault.part for fault in shifted if fault.serious}
    whole = (p for p in parts if shares[p.name].read == len(p.pairs))
    faults += _unseen((part for part in whole if part.name not in sure), shares)
    order = list(KINDS)
    faults.sort(key=lambda fault: order.index(fault.kind))
    return CheckResult(parts, shares, faults)


def _spread(pairs: Sequence[Pair], most: int | None) -> list[Pair]:
    if most is None or len(pairs) <= most:
        return list(pairs)
    return [pairs[i] for i in np.linspace(0, len(pairs) - 1, most).astype(int)]


def _empty(part: Part) -> Share:
    count = len(part.classes)
    return Share(np.zeros(count, np.int64), np.zeros(count, np.int64))


def _add(share: Share, part: Part, found: Inspection) -> None:
    share.read += 1
    if found.size:
        share.sizes[found.size] += 1
    if found.stored is None:
        return
    share.stored += found.stored
    seen = np.bincount(part.value_of, found.stored, minlength=256).astype(np.int64)
    classes = seen[: len(part.classes)]
    share.pixels += classes
    share.images += classes > 0
    share.ignored += int(seen[part.ignored].sum())


def _repeated(groups: Iterable[list[tuple[str, str]]]) -> Iterator[Fault]:
    """Equal pictures; across the parts, what was learnt is validated on."""
    for group in groups:
        first, *others = group
        for name, path in others:
            across = name.partition(' ')[0] != first[0].partition(' ')[0]
            kind = 'in train and val' if across else 'twice'
            yield Fault(kind, name, path, f"same pixels as '{first[1]}'")


def _of_one_value(parts: Iterable[Part], shares: dict[str, Share]) -> Iterator[Fault]:
    """Label maps that all hold nothing to learn, or nothing to tell apart."""
    for part in parts:
        share = shares[part.name]
        if not share.stored.any():
            continue
        values = np.flatnonzero(share.stored).tolist()
        if not share.pixels.any() and share.ignored == share.stored.sum():
            detail = f'they hold {values} alone, which is to ignore'
            yield Fault('nothing labelled', part.name, 'all label maps', detail)
        elif values == [0, 255] and _are_masks(part):
            detail = '255 is to ignore, so that 0 is the only class there is'
            yield Fault('masks of 0 and 255', part.name, 'all label maps', detail)


def _are_masks(part: Part) -> bool:
    """Whether 255, in the place of the second of several classes, is to ignore."""
    return len(part.classes) > 1 and 255 in part.ignored and not part.label_map_given


def _unseen(parts: Iterable[Part], shares: dict[str, Share]) -> Iterator[Fault]:
    for part in parts:
        pixels = shares[part.name].pixels
        for index in np.flatnonzero(pixels == 0) if pixels.any() else ():
            name = part.classes[index]
            yield Fault('class never seen', part.name, name, f'label {index}')


def _shifted(parts: Iterable[Part], shares: dict[str, Share]) -> Iterator[Fault]:
    """Label maps whose values begin or end one off the classes."""
    for part in parts:
        count, stored = len(part.classes), shares[part.name].stored
        real = stored.copy()
        real[[255, *part.ignored]] = 0
        seen = np.flatnonzero(real)
        if not count or not len(seen) or part.label_map_given:
            continue
        first, last = int(seen[0]), int(seen[-1])
        classes = f'the {count} classes from 0 to {count - 1}'
        run = f'labels run from {first} to {last}'
        kind = 'perhaps shifted'
        if part.reduce_zero_label:
            if last != count - 1 or first:
                continue
            detail = f'{run}: if 0 is a class set reduce_zero_label=False'
        elif last == count:
            kind = 'shifted labels' if first else 'one label too many'
            shift = 'set reduce_zero_label=True'
            cure = shift if first else f'name one more, or {shift} if 0 is unlabelled'
            detail = f'{run}, {classes}: {cure}'
        elif first == 1:
            detail = f'{run}, {classes}: if 1 is the first set reduce_zero_label=True'
        elif first == 0 and last == count - 2 and stored[255]:
            detail = f'{run}, {classes}: if 255 is the first one, add one to all labels'
        else:
            continue
        yield Fault(kind, part.name, 'all label maps', detail)
