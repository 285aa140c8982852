"""What the images and label maps of one part hold in all."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..statistics import BandSums
from .inspection import Inspection
from .pairs import Part


@dataclass
class Share:
    """What one part holds.

    Attributes:
        pixels: of each class, int64 (K,).
        images: how many images have a pixel of each class, int64 (K,).
        ignored: pixels that count nothing.
        stored: pixels of each stored byte, int64 (256,).
        sizes: how many images have each (width, height).
        read: images that were inspected.
        sums: over the images' bands, in the order in which they are normalised; None
            before the first.
        flat: of images that show a network nothing, type and largest value in the file.
        masks: label maps of 0 and 255 alone.
        marked: label maps with a value between these, with 255 too, and without.
    """

    pixels: np.ndarray
    images: np.ndarray
    ignored: int = 0
    stored: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    read: int = 0
    sums: BandSums | None = None
    flat: list[tuple[str, float]] = field(default_factory=list)
    masks: int = 0
    marked: Counter[bool] = field(default_factory=Counter)

    @classmethod
    def of(cls, part: Part) -> 'Share':
        """Return one that is empty."""
        count = len(part.classes)
        return cls(np.zeros(count, np.int64), np.zeros(count, np.int64))

    def add(self, part: Part, found: Inspection) -> None:
        """Add what a pair holds."""
        self.read += 1
        if found.size:
            self.sizes[found.size] += 1
        if found.sums:
            self.sums = self.sums + found.sums if self.sums else found.sums
        if found.flat:
            self.flat.append(found.flat)
        if found.stored is None:
            return
        self.stored += found.stored
        between = found.stored[1:255].any()
        self.masks += bool(found.stored[0] and found.stored[255] and not between)
        self.marked[bool(found.stored[255])] += bool(between)
        seen = np.bincount(part.value_of, found.stored, minlength=256).astype(np.int64)
        classes = seen[: len(part.classes)]
        self.pixels += classes
        self.images += classes > 0
        self.ignored += int(seen[part.ignored].sum())
