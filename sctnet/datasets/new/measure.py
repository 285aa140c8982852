"""What the images of a data set are like: sizes, bands, range, mean and spread."""

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import DataError, SCTNetError
from ...files import find_files
from ..bands import read_bands
from ..images import SUFFIXES
from ..parallel import run_all
from ..statistics import BandSums

SAMPLE = 200  # images that are decoded


@dataclass
class Measured:
    """Of a sample of the images to train on.

    Attributes:
        sizes: how many have each (height, width).
        kinds: how many have each (bands, type of numbers).
        mean: of each band, in the file's order (R, G, B).
        std: likewise.
        largest: value of all.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    kinds: Counter[tuple[int, str]] = field(default_factory=Counter)
    mean: list[float] = field(default_factory=list)
    std: list[float] = field(default_factory=list)
    largest: float = 0.0

    @property
    def short_side(self) -> int:
        """The median length of the short sides."""
        return int(np.median([min(size) for size in self.sizes.elements()]))

    @property
    def kind(self) -> tuple[int, str]:
        """Bands and type, which all have."""
        return next(iter(self.kinds))


def measure(folder: Path) -> Measured:
    """Decode some images of a folder.

    Raises:
        DataError: there is none, or they differ in bands or type.
    """
    files = find_files(folder, SUFFIXES)
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, SAMPLE).astype(int)]
    found, sums, tops = Measured(), list[BandSums](), list[float]()
    with closing(run_all(_look, sorted(set(chosen)) if files else [], None)) as looks:
        for _, look in looks:
            if isinstance(look, SCTNetError):
                continue  # the check names it
            size, kind, figures, largest = look
            found.sizes[size] += 1
            found.kinds[kind] += 1
            sums.append(figures)
            tops.append(largest)
    if not found.sizes:
        raise DataError(f"'{folder}' has no image that can be read: check its files")
    if len(found.kinds) > 1:
        listed = ', '.join(f'{n} of {b} bands {t}' for (b, t), n in found.kinds.items())
        raise DataError(
            f"the images of '{folder}' are of several kinds ({listed}): export all "
            'with the same bands and bits'
        )
    of_all = sum(sums[1:], sums[0])
    found.mean, found.std = of_all.mean, of_all.std
    found.largest = float(np.max(tops))
    if not np.isfinite([*found.mean, *found.std, found.largest]).all():
        raise DataError(
            f"images of '{folder}' hold numbers that are not finite: write them without"
        )
    return found


def _as_read(image: np.ndarray) -> np.ndarray:
    """Return a picture of 8 bits as trainings read it: in three colours."""
    if image.dtype != np.uint8 or image.shape[2] not in (1, 4):
        return image
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2)
    opaque = image[..., 3].min() == 255  # else it may be a band of its own
    return image[..., :3] if opaque else image


def _look(file: Path) -> tuple[tuple[int, int], tuple[int, str], BandSums, float]:
    image = _as_read(read_bands(file))
    kind = (image.shape[2], str(image.dtype))
    return image.shape[:2], kind, BandSums.of(image), float(image.max())
