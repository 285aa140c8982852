"""What a format's reader hands over: images, and how their label maps are drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from ...errors import DataError
from ..images import SUFFIXES, read_image
from .copy_or_link import copy_file, link_file

IGNORED = 255
PARTS = ('train', 'val')
Size = tuple[int, int]  # height, width


class Drawing(Protocol):
    """How one label map is drawn; it goes to a worker by pickle."""

    def draw(self, size: Size, notes: Counter[str]) -> np.ndarray:
        """Return class indices, uint8 (H, W), and count in ``notes`` what is left out.

        Args:
            size: height and width of the image.
            notes: reason to count.

        Raises:
            DataError: the annotation cannot be drawn on an image of this size.
        """
        ...


class ImageSource(Protocol):
    """Where the pixels of an image come from."""

    @property
    def suffix(self) -> str:
        """Of the file to be written, with its dot."""
        ...

    def size(self) -> Size:
        """Decode the image to its height and width; raises ImageError, DataError."""
        ...

    def place(self, target: Path, link: bool) -> None:
        """Put the file at ``target``; raises OutputError."""
        ...


@dataclass(frozen=True)
class ImageFile:
    """An image that lies on disk, copied byte for byte."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def suffix(self) -> str:
        """The file's own, in small letters."""
        return self.path.suffix.lower()

    def size(self) -> Size:
        """Decode the whole image, so that a broken one is found here."""
        if self.suffix not in SUFFIXES:
            raise DataError(
                f"'{self.path}' is of no known kind: expected one of "
                f'{", ".join(SUFFIXES)}; export it as one of them'
            )
        height, width = read_image(self.path).shape[:2]
        return height, width

    def place(self, target: Path, link: bool) -> None:
        """Copy the file, or link to it."""
        (link_file if link else copy_file)(self.path, target)


@dataclass(frozen=True)
class Item:
    """One image with its annotation.

    Attributes:
        name: of the files to be made: without suffix, folders divided by ``/``.
        split: 'train', 'val', or None where the source does not say.
        image: the pixels.
        drawing: the label map.
        empty: whether it has no annotation, so that all of it is background.
    """

    name: str
    split: str | None
    image: ImageSource
    drawing: Drawing
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
    items: list[Item]
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
    if None in stated or stated == size:
        return
    raise DataError(
        f'the annotation is for {stated[1]}x{stated[0]} pixels and the image has '
        f'{size[1]}x{size[0]}: it was resized or turned after labelling; use the image '
        'that was labelled'
    )
