"""Pascal VOC's layout: JPEGImages, SegmentationClass, ImageSets/Segmentation.

Masks are palette or grey PNGs of class indices: 0 is the background, 255 to ignore.
Without lists ``train.txt`` and ``val.txt`` all masks are taken and shared out.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ....errors import DataError
from ....files import find_files
from ...images import SUFFIXES
from ..annotated_images import IGNORED, PARTS, ImageFile, Item, Size, Source
from ..annotation_files import read_indices, read_text
from ..options import add_classes, parse_classes

SOURCE = 'folder that holds JPEGImages and SegmentationClass'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``read`` takes."""
    add_classes(parser, "VOC's 21")


def read(source: Path, classes: str | Sequence[str] | None = None) -> Source:
    """List the images of both lists, or all that have a mask; raises DataError."""
    names, palette = _classes(classes)
    found = Source(names, palette=palette)
    masks = source / 'SegmentationClass'
    images = {file.stem: file for file in find_files(source / 'JPEGImages', SUFFIXES)}
    stems = _listed(source / 'ImageSets' / 'Segmentation')
    if not stems:
        stems = {file.stem: None for file in find_files(masks, ('.png',))}
        for stem, image in images.items():
            if stem not in stems:
                found.leave_out('images without a mask', image)
    for stem, part in stems.items():
        image = images.get(stem, source / 'JPEGImages' / f'{stem}.jpg')
        draw = partial(_draw, masks / f'{stem}.png', len(names))
        found.items.append(Item(stem, part, ImageFile(image), draw))
    return found


def _classes(
    text: str | Sequence[str] | None,
) -> tuple[tuple[str, ...], list[list[int]] | None]:
    if text:
        return parse_classes(text), None
    from mmseg.utils import get_classes, get_palette

    return tuple(get_classes('voc')), get_palette('voc')


def _listed(folder: Path) -> dict[str, str | None]:
    stems: dict[str, str | None] = {}
    for part in PARTS:
        file = folder / f'{part}.txt'
        if not file.is_file():
            continue
        for stem in read_text(file).split():
            if stems.setdefault(stem, part) != part:
                raise DataError(
                    f"'{stem}' is in both lists of '{folder}': take it out of one, or "
                    'the validation measures what was learnt'
                )
    return stems


def _draw(mask: Path, classes: int, size: Size, notes: Counter[str]) -> np.ndarray:
    """Read a mask of indices below ``classes``, and 255."""
    labels = read_indices(mask)
    outside = np.unique(labels[(labels >= classes) & (labels != IGNORED)])
    if len(outside):
        raise DataError(
            f"mask '{mask}' has the indices {outside[:5].tolist()} and there are "
            f'{classes} classes: name all of them with --classes'
        )
    return labels
