"""Finds pictures that are in a data set twice, or nearly so."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .faults import Fault, split_of

# Of 128 bits. Among 2 million pairs of photographs 11 were as near, all of them of one
# scene; 24 bits brought others, and frames of a video need not be nearer than 60.
NEAR = 12
_AT_A_TIME = 2**22  # pairs that are compared: 16 MB


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


def repeated(looks: Iterable[Look]) -> Iterator[Fault]:
    """Equal pictures; across the parts, what was learnt is validated on."""
    groups: defaultdict[bytes, list[Look]] = defaultdict(list)
    for look in looks:
        if look.digest:
            groups[look.digest].append(look)
    for first, *others in groups.values():
        for other in others:
            same = split_of(other.part) == split_of(first.part)
            kind = 'twice' if same else 'in two parts'
            yield Fault(kind, other.part, other.path, f"same pixels as '{first.path}'")


def nearly_repeated(looks: Iterable[Look]) -> Iterator[Fault]:
    """Pictures of a part that are nearly one of an earlier part, with the nearest."""
    splits: defaultdict[str, list[Look]] = defaultdict(list)
    for look in looks:
        if look.bits:
            splits[split_of(look.part)].append(look)
    for earlier, later in combinations(splits.values(), 2):
        known = _signs(earlier)
        rows = max(1, _AT_A_TIME // len(earlier))
        for start in range(0, len(later), rows):
            some = later[start : start + rows]
            # Equal bits less others: a product is all that it takes.
            alike = _signs(some) @ known.T
            for look, index, value in zip(
                some, alike.argmax(1), alike.max(1), strict=True
            ):
                other, unlike = earlier[index], int(128 - value) // 2
                if unlike <= NEAR and look.digest != other.digest:
                    detail = f"{unlike} of 128 bits unlike '{other.path}'"
                    yield Fault('near duplicate', look.part, look.path, detail)


def _signs(looks: list[Look]) -> np.ndarray:
    """Bits as 1 and -1, float32 (N, 128)."""
    packed = np.frombuffer(b''.join(look.bits for look in looks), np.uint8)
    return np.unpackbits(packed).reshape(-1, 128).astype(np.float32) * 2 - 1
