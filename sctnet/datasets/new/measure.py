"""What the images of a data set are like: sizes, bands, range, mean and spread."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import DataError, ImageError, SCTNetError
from ...files import find_files
from ..bands import bits_of
from ..images import SUFFIXES, count_bands, read_decoded
from ..parallel import run_all

SAMPLE = 200  # images that are decoded
STEP = 4  # of rows and columns
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
            largest += f': {bits_of(self.largest, kind)} bits'
        figures = [
            f'{name} {", ".join(f"{value:.4g}" for value in values)}'
            for name, values in (('mean', self.mean), ('std', self.std))
        ]
        each = ' of each band' if several else ''
        lines = [
            f'values: {count_bands(bands)} of {_BITS[kind]}, {largest}; '
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

    Raises:
        DataError: there is none, or they differ in bands or type.
        PackageError: a TIFF's compression needs ``imagecodecs``.
    """
    files = find_files(folder, SUFFIXES)
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, SAMPLE).astype(int)]
    found, sums = Measured(), []
    with closing(run_all(_look, sorted(set(chosen)) if files else [], None)) as looks:
        for _, look in looks:
            if isinstance(look, ImageError):
                continue  # the check names it
            if isinstance(look, SCTNetError):
                raise look
            size, kind, alpha, figures = look
            found.sizes[size] += 1
            found.kinds[kind] += 1
            found.alpha += alpha
            sums.append(figures)
    if not found.sizes:
        raise DataError(f"'{folder}' has no image that can be read: check its files")
    if len(found.kinds) > 1:
        listed = ', '.join(
            f'{n} of {count_bands(b)} {t}' for (b, t), n in found.kinds.items()
        )
        raise DataError(
            f"the images of '{folder}' are of several kinds ({listed}): export all "
            'with the same bands and bits'
        )
    count = sum(one[0] for one in sums)
    mean = sum(one[1] for one in sums) / count
    square = sum(one[2] for one in sums) / count
    found.mean = mean.tolist()
    found.std = np.sqrt(np.maximum(square - mean**2, 1e-12)).tolist()
    found.low = np.min([one[3] for one in sums], axis=0).tolist()
    found.high = np.max([one[4] for one in sums], axis=0).tolist()
    if not np.isfinite([*found.mean, *found.std, *found.low, *found.high]).all():
        raise DataError(
            f"images of '{folder}' hold numbers that are not finite: write them without"
        )
    return found


def _look(file: Path) -> tuple[tuple[int, int], tuple[int, str], bool, tuple]:
    image, colours, alpha = read_decoded(file)
    if alpha:
        image = image[..., :-1]
    if colours and image.dtype == np.uint8:  # which are trained on in three colours
        image = np.broadcast_to(image, (*image.shape[:2], 3))
    values = image[::STEP, ::STEP].reshape(-1, image.shape[2]).astype(np.float64)
    figures = len(values), values.sum(0), (values**2).sum(0)
    ends = image.min((0, 1)), image.max((0, 1))
    kind = (image.shape[2], str(image.dtype))
    return image.shape[:2], kind, alpha, (*figures, *ends)
