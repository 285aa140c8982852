"""What a format's reader returns: images, and how their label maps are drawn."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError, OutputError
from ...files import atomic_path
from ..bands import read_bands
from ..images import SUFFIXES, check_sides, read_decoded, read_header

IGNORED = 255
PARTS = ('train', 'val', 'test')
Size = tuple[int, int]  # height, width


class Noted(str):
    """A reason to count what is used all the same, where others are left out."""


class Shape(NamedTuple):
    """A label, and what says which pixels it covers, bool (H, W)."""

    label: int
    cover: Callable[[], np.ndarray]


# Draws a label map: takes the image's size and a counter to which it adds what it
# leaves out (reason to count), returns class indices, uint8 (H, W), or the shapes that
# are to be painted, in the order of the file. Raises a DataError for an annotation that
# is not of such an image. Is called in a thread.
Draw = Callable[[Size, Counter[str]], np.ndarray | Sequence[Shape]]


@dataclass(frozen=True)
class ImageFile:
    """An image on disk, whose file is copied as it is."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def suffix(self) -> str:
        """Of the file to be written: the image's own, in small letters."""
        return self.path.suffix.lower()

    def size(self) -> Size:
        """Decode the whole image, so that a broken one is found here.

        Raises:
            DataError, ImageError: it is of no known kind, or broken.
        """
        if self.suffix not in SUFFIXES:
            raise DataError(
                f"'{self.path}' is of no known kind: expected one of "
                f'{", ".join(SUFFIXES)}; export it as one of them'
            )
        image = check_sides(read_decoded(self.path).image, f"image '{self.path}'")
        return image.shape[0], image.shape[1]

    def bands(self) -> np.ndarray:
        """Decode to (H, W, C), the file's own bands and type; raises ImageError."""
        return read_bands(self.path)

    def orientation(self) -> int:
        """Return the tag of the camera, 1 to 8."""
        return read_header(str(self.path))[1]

    def place(self, target: Path, link: bool) -> None:
        """Copy the file to ``target``, which is new, or link to it.

        A link is hard or, from another disk, symbolic.

        Raises:
            OutputError: ``target`` cannot be written.
        """
        original = self.path.resolve()
        if not link:
            with atomic_path(target) as temporary:
                shutil.copyfile(original, temporary)
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(original, target)
            except OSError:
                os.symlink(original, target)
        except OSError as error:
            raise OutputError(
                f"cannot link '{target}' ({error.strerror or error}): leave out --link"
            ) from error


@dataclass(frozen=True)
class Item:
    """One image with its annotation.

    Attributes:
        name: of the files to be made: without suffix, folders divided by ``/``.
        split: 'train', 'val', or None where the source does not say.
        image: the pixels.
        draw: makes the label map.
        empty: whether nothing is drawn of it, so that all is background; it is found
            from ``labels``, once the classes are chosen.
        labels: of its shapes, where they are known before they are drawn.
        stated: (height, width) that the annotation is for, as its file says, or None.
        upright: whether it is drawn on the image as its tag turns it, also where the
            stated size is that of the raw one.
        raw: whether it is drawn on the image as it is stored, whatever the sizes tell.
    """

    name: str
    split: str | None
    image: ImageFile
    draw: Draw
    empty: bool = False
    labels: frozenset[int] | None = None
    stated: tuple[object, object] = (None, None)
    upright: bool = False
    raw: bool = False


@dataclass
class Source:
    """A data set as its reader found it.

    Attributes:
        classes: names, in the order of the indices that are drawn.
        items: in any order.
        palette: RGB of each class, where the source has colours of its own.
        skipped: what was left out on purpose, or is noted: reason to count.
        failed: what is broken: one sentence each, with the file's name.
        examples: of a reason, the first file that was left out for it.
        fill: label where there is no shape; None where label maps are drawn whole.
        order: in which shapes are painted, of :data:`.overlap.ORDERS`.
        skip_empty: leave out images without annotation.
        open: classes are those that occur, so that one that does not is no mistake.
        said: what was decided, in a sentence each.
    """

    classes: tuple[str, ...]
    items: list[Item] = field(default_factory=list)
    palette: Sequence[Sequence[int]] | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)
    fill: int | None = None
    order: str = 'file'
    skip_empty: bool = False
    open: bool = False
    said: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, file: object) -> None:
        """Count ``file`` as skipped for ``reason``."""
        self.skipped[reason] += 1
        self.examples.setdefault(reason, str(file))


class OtherSizeError(DataError):
    """An annotation that is not for an image of this size."""


# What malformed annotations bring about, here or in a library that draws them.
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, OSError, MemoryError)


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Say of an error in the block which shape of which file it is about.

    Raises:
        DataError: of the block, or for what a malformed shape brings about.
    """
    try:
        yield
    except OtherSizeError as error:
        raise OtherSizeError(f'{where}: {error}') from error
    except DataError as error:
        raise DataError(f'{where}: {error}') from error
    except MALFORMED as error:
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        raise DataError(
            f'{where} cannot be drawn ({reason}): draw it again, or take it out'
        ) from error


def check_size(stated: tuple[object, object], size: Size) -> None:
    """See that an annotation's (height, width), if it states one, is the image's.

    Raises:
        OtherSizeError: it is not.
    """
    known = as_size(stated)
    if 0 in known or known == size:
        return
    raise OtherSizeError(
        f'the annotation is for {known[1]}x{known[0]} pixels and the image has '
        f'{size[1]}x{size[0]}: it was resized or turned after labelling; use the image '
        'that was labelled'
    )


def as_size(stated: tuple[object, object]) -> Size:
    """Return what a file states, as text too, as numbers; 0 where it states none."""
    height, width = map(_length, stated)
    return height, width


def _length(value: object) -> int:
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0
