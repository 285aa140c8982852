"""Finds pictures that are in a data set twice, or nearly so."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .faults import Fault

# Of 128 bits. Among 2 million pairs of photographs 11 were as near, all of them of one
# scene; 24 bits brought others, and frames of a video need not be nearer than 60.
NEAR = 12
_ROWS = 512  # of bits that are compared at a time


@dataclass(frozen=True)
class Look:
    """What an image is told from others by.

    Attributes:
        part: name of its data set.
        path: of its file.
        digest: of its pixels, equal for equal pictures; empty for one of one value.
        bits: by :func:`.loaded_image.difference_hash`.
    """

    part: str
    path: str
    digest: bytes
    bits: bytes

    @property
    def split(self) -> str:
        """``'train'`` of ``'train 2'``."""
        return self.part.partition(' ')[0]


def repeated(looks: Iterable[Look]) -> Iterator[Fault]:
    """Equal pictures; across the parts, what was learnt is validated on."""
    groups: defaultdict[bytes, list[Look]] = defaultdict(list)
    for look in looks:
        if look.digest:
            groups[look.digest].append(look)
    for first, *others in groups.values():
        for other in others:
            kind = 'twice' if other.split == first.split else 'in train and val'
            yield Fault(kind, other.part, other.path, f"same pixels as '{first.path}'")


def nearly_repeated(looks: Iterable[Look]) -> Iterator[Fault]:
    """Pictures of a part that are nearly one of an earlier part, with the nearest."""
    splits: defaultdict[str, list[Look]] = defaultdict(list)
    for look in looks:
        if look.bits:
            splits[look.split].append(look)
    for earlier, later in combinations(splits.values(), 2):
        known = _signs(earlier)
        for start in range(0, len(later), _ROWS):
            some = later[start : start + _ROWS]
            signs = _signs(some)
            best = np.full(len(some), -129.0, np.float32)
            nearest = np.zeros(len(some), int)
            for first in range(0, len(known), 16 * _ROWS):
                # Equal bits less others: a product is all that it takes.
                alike = signs @ known[first : first + 16 * _ROWS].T
                place = alike.argmax(1)
                value = alike[np.arange(len(some)), place]
                nearest = np.where(value > best, place + first, nearest)
                best = np.maximum(value, best)
            for look, index, value in zip(some, nearest, best, strict=True):
                other, unlike = earlier[index], int(128 - value) // 2
                if unlike <= NEAR and look.digest != other.digest:
                    detail = f"{unlike} of 128 bits unlike '{other.path}'"
                    yield Fault('near duplicate', look.part, look.path, detail)


def _signs(looks: list[Look]) -> np.ndarray:
    """Bits as 1 and -1, float32 (N, 128)."""
    packed = np.frombuffer(b''.join(look.bits for look in looks), np.uint8)
    return np.unpackbits(packed).reshape(-1, 128).astype(np.float32) * 2 - 1
