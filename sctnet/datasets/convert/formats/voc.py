"""Pascal VOC's layout: JPEGImages, SegmentationClass, ImageSets/Segmentation.

Masks are palette or grey PNGs of class indices: 0 is the background, 255 to ignore. Of
the lists ``train``, ``val`` and ``test`` are the parts. Where there are others alone,
such as ``trainval.txt``, the images that they name are shared out; without any, all.
The classes are VOC's 21, unless others are given.
"""

from collections.abc import Sequence
from pathlib import Path

from ..annotated_images import Source
from ..options import parse_classes
from ..split_lists import by_lists
from .masks import add_index_pairs

SOURCE = 'folder that holds JPEGImages and SegmentationClass'


def read(source: Path, classes: str | Sequence[str] | None = None) -> Source:
    """List the images of the lists that have a mask, or all; raises DataError."""
    names, palette = _classes(classes)
    found = Source(names, palette=palette)
    add_index_pairs(found, source / 'JPEGImages', source / 'SegmentationClass')
    lists = source / 'ImageSets' / 'Segmentation'
    if any(lists.glob('*.txt')):
        found.items = by_lists(found.items, lists, found.skipped)
    return found


def _classes(
    text: str | Sequence[str] | None,
) -> tuple[tuple[str, ...], list[list[int]] | None]:
    if text:
        return parse_classes(text), None
    from mmseg.utils import get_classes, get_palette

    return tuple(get_classes('voc')), get_palette('voc')
