"""What a format's reader returns: images, and how their label maps are drawn."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import DataError, OutputError
from ...files import atomic_path
from ..images import SUFFIXES, check_sides, read_decoded

IGNORED = 255
PARTS = ('train', 'val', 'test')
Size = tuple[int, int]  # height, width

# Draws a label map: takes the image's size and a counter to which it adds what it
# leaves out (reason to count), returns class indices, uint8 (H, W). Raises a DataError
# for an annotation that is not of such an image. Is called in a thread.
Draw = Callable[[Size, Counter[str]], np.ndarray]


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
        empty: whether it has no annotation, so that all of it is background.
    """

    name: str
    split: str | None
    image: ImageFile
    draw: Draw
    empty: bool = False


@dataclass
class Source:
    """A data set as its reader found it.

    Attributes:
        classes: names, in the order of the indices that are drawn.
        items: in any order.
        palette: RGB of each class, where the source has colours of its own.
        skipped: what was left out on purpose: reason to count.
        failed: what is broken: one sentence each, with the file's name.
        examples: of a reason, the first file that was left out for it.
    """

    classes: tuple[str, ...]
    items: list[Item] = field(default_factory=list)
    palette: Sequence[Sequence[int]] | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)

    def leave_out(self, reason: str, file: object) -> None:
        """Count ``file`` as skipped for ``reason``."""
        self.skipped[reason] += 1
        self.examples.setdefault(reason, str(file))


def check_size(stated: tuple[object, object], size: Size) -> None:
    """See that an annotation's (height, width), if it states one, is the image's.

    Raises:
        DataError: it is not.
    """
    known = tuple(map(_length, stated))
    if 0 in known or known == size:
        return
    raise DataError(
        f'the annotation is for {known[1]}x{known[0]} pixels and the image has '
        f'{size[1]}x{size[0]}: it was resized or turned after labelling; use the image '
        'that was labelled'
    )


def _length(value: object) -> int:
    """Return a side that a file states, as text too; 0 where it states none."""
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return 0
