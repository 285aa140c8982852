"""What the images of a data set are like: sizes, bands, range, mean and spread."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError, ImageError, SCTNetError
from ...files import find_files
from ..bands import bits_of
from ..images import SUFFIXES, amount, read_decoded
from ..parallel import run_all
from ..statistics import BandSums

SAMPLE = 200  # images that are decoded
_BITS = {'uint8': '8 bits', 'uint16': '16 bits', 'float32': 'floats'}


@dataclass
class Measured:
    """Of a sample of the images to train on.

    Attributes:
        sizes: how many have each (height, width).
        kinds: how many have each (bands, type of numbers), without an alpha band.
        mean: of each band, in the file's order (R, G, B).
        std: likewise.
        low: least value of each band.
        high: largest value of each band.
        alpha: how many have an alpha band.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    kinds: Counter[tuple[int, str]] = field(default_factory=Counter)
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    alpha: int = 0

    @property
    def short_side(self) -> int:
        """The median length of the short sides."""
        return int(np.median([min(size) for size in self.sizes.elements()]))

    @property
    def kind(self) -> tuple[int, str]:
        """Bands and type, which all have."""
        return next(iter(self.kinds))

    @property
    def largest(self) -> float:
        """Of all values."""
        return max(self.high)

    def describe(self) -> list[str]:
        """Return bands, bits, range, mean and spread in words."""
        (bands, kind), several = self.kind, len(self.mean) > 1
        largest = f'values end at {self.largest:.6g}'
        if kind == 'uint16':
            largest += f': {bits_of(self.largest)} bits'
        figures = [
            f'{name} {", ".join(f"{value:.4g}" for value in values)}'
            for name, values in (('mean', self.mean), ('std', self.std))
        ]
        each = ' of each band' if several else ''
        lines = [
            f'values: {amount(bands, "band")} of {_BITS[kind]}, {largest}; '
            f'{"; ".join(figures)}{each}'
        ]
        if self.alpha:
            lines.append(
                f'left out: the alpha band of {self.alpha} of {self.sizes.total()} '
                'images that were measured'
            )
        return lines


def measure(folder: Path) -> Measured:
    """Decode some images of a folder.

    What files call alpha is left out if at least half of it is the least or the largest
    value; else it is a band of its own.

    Raises:
        DataError: there is none, or they differ in bands or type.
        PackageError: a TIFF's compression needs ``imagecodecs``.
    """
    files = find_files(folder, SUFFIXES)
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, SAMPLE).astype(int)]
    looks = []
    with closing(run_all(_look, sorted(set(chosen)) if files else [], None)) as results:
        for _, look in results:
            if isinstance(look, ImageError):
                continue  # the check names it
            if isinstance(look, SCTNetError):
                raise look
            looks.append(look)
    if not looks:
        raise DataError(f"'{folder}' has no image that can be read: check its files")
    ends = [look.alpha_ends for look in looks if look.alpha_ends is not None]
    left_out = bool(ends) and np.mean(ends) >= 0.5
    found, sums = Measured(alpha=len(ends) if left_out else 0), []
    for look in looks:
        found.sizes[look.size] += 1
        has_alpha = look.alpha_ends is not None
        figures = look.figures[:, :-1] if has_alpha and left_out else look.figures
        if look.picture and (left_out or not has_alpha):
            figures = np.broadcast_to(figures, (4, 3))  # as it is trained on
        found.kinds[figures.shape[1], look.kind] += 1
        sums.append(figures)
    if len(found.kinds) > 1:
        listed = ', '.join(
            f'{n} of {amount(b, "band")} {t}' for (b, t), n in found.kinds.items()
        )
        raise DataError(
            f"the images of '{folder}' are of several kinds ({listed}): export all "
            'with the same bands and bits'
        )
    low, high, total, squares = np.stack(sums, axis=1)
    of_all = BandSums(sum(look.pixels for look in looks), total.sum(0), squares.sum(0))
    found.low, found.high = low.min(0).tolist(), high.max(0).tolist()
    found.mean, found.std = of_all.mean, of_all.std
    if not np.isfinite([*found.mean, *found.std, *found.low, *found.high]).all():
        raise DataError(
            f"images of '{folder}' hold numbers that are not finite: write them without"
        )
    return found


class _Look(NamedTuple):
    size: tuple[int, int]
    kind: str
    picture: bool  # of 8 bits
    alpha_ends: float | None  # share of an alpha band at its ends
    pixels: int
    figures: np.ndarray  # least, largest, sum, sum of squares of each band


def _look(file: Path) -> _Look:
    image, colours, alpha = read_decoded(file)
    kind, ends = str(image.dtype), None
    if alpha:
        opaque = 1 if kind == 'float32' else np.iinfo(image.dtype).max
        ends = float(np.isin(image[..., -1], (0, opaque)).mean())
    sums, ends_of = BandSums.of(image), (image.min((0, 1)), image.max((0, 1)))
    figures = np.stack([*ends_of, sums.total, sums.squares])
    picture = colours > 0 and kind == 'uint8'
    return _Look(image.shape[:2], kind, picture, ends, sums.count, figures)
