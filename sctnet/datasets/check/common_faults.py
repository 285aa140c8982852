"""What the images, or the label maps, of a whole part have in common that is wrong."""

from collections.abc import Iterator

import numpy as np

from ..from_config import PICTURES
from .faults import Fault, split_of
from .pairs import Part
from .shares import Share

_ALL = 'all label maps'


def common_faults(part: Part, share: Share) -> Iterator[Fault]:
    """Yield what is wrong with one part as a whole."""
    yield from _nearly_black(part, share)
    same = list(_of_one_value(part, share))
    yield from same
    # No shift would mend what the label maps have in common.
    shifted = [] if same else list(_shifted(part, share))
    yield from shifted
    # That a class is never seen follows from either.
    follows = any(fault.serious for fault in same + shifted)
    if share.read == len(part.pairs) and not follows:
        yield from _unseen(part, share)


def _nearly_black(part: Part, share: Share) -> Iterator[Fault]:
    """Most images as a network sees them: hardly more than one value."""
    if 2 * len(share.flat) <= share.read:
        return
    kinds = ' and '.join(sorted({kind for kind, _ in share.flat}))
    largest = max(value for _, value in share.flat)
    detail = f'{kinds} whose values end at {largest:g}'
    if kinds == 'uint16' and part.reading.loader in PICTURES:
        last = int(largest) // 256 + 1
        detail += f': all below {last} of 255 by {part.reading.loader}'
    yield Fault('nearly black images', part.name, f'{len(share.flat)} images', detail)


def _of_one_value(part: Part, share: Share) -> Iterator[Fault]:
    """Label maps that hold nothing to learn, or pictures where classes should be."""
    values = np.flatnonzero(share.stored).tolist()
    if not values:
        return
    if not share.pixels.any() and share.ignored == share.stored.sum():
        detail = f'they hold {values} alone, which is to ignore'
        if part.reduce_zero_label and values == [0]:
            detail += ': if 0 is a class set reduce_zero_label=False'
        yield Fault('nothing labelled', part.name, _ALL, detail)
    elif _are_masks(part) and not share.marked[True]:
        # A map with a class has no 255: it does not mean "ignore" elsewhere either.
        marked = share.marked[False]
        detail = '255 is to ignore, so that 0 is the only class there is'
        path = f'{share.masks} label maps' if marked else _ALL
        if values == [0, 255] or share.masks > marked:
            yield Fault('masks of 0 and 255', part.name, path, detail)
        elif share.masks and len(part.classes) == 2:
            yield Fault('perhaps masks of 0 and 255', part.name, path, detail)


def _are_masks(part: Part) -> bool:
    """Whether 255, in the place of the second of several classes, is to ignore."""
    return len(part.classes) > 1 and 255 in part.ignored and not part.label_map_given


def _unseen(part: Part, share: Share) -> Iterator[Fault]:
    kind = 'class never seen'
    if split_of(part.name) == 'train':
        kind = 'class without a pixel'
    for index in np.flatnonzero(share.pixels == 0) if share.pixels.any() else ():
        yield Fault(kind, part.name, part.classes[index], f'label {index}')


def _shifted(part: Part, share: Share) -> Iterator[Fault]:
    """Label maps whose values begin or end one off the classes."""
    count = len(part.classes)
    real = share.stored.copy()
    real[[255, *part.ignored]] = 0
    seen = np.flatnonzero(real)
    if not count or not len(seen) or part.label_map_given:
        return
    first, last = int(seen[0]), int(seen[-1])
    classes = f'the {count} classes from 0 to {count - 1}'
    run = f'labels run from {first} to {last}'
    kind = 'perhaps shifted'
    if part.reduce_zero_label:
        if last != count - 1 or first:
            return
        detail = f'{run}: if 0 is a class set reduce_zero_label=False'
    elif last == count:
        kind = 'shifted labels' if first else 'one label too many'
        shift = 'set reduce_zero_label=True'
        cure = shift if first else f'name one more, or {shift} if 0 is unlabelled'
        detail = f'{run}, {classes}: {cure}'
    elif first == 1:
        detail = f'{run}, {classes}: if 1 is the first set reduce_zero_label=True'
    else:
        return
    yield Fault(kind, part.name, _ALL, detail)
