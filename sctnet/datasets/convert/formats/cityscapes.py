"""Cityscapes' own layout, with polygons, drawn by its own scripts.

What is read is ``gtFine/{train,val}/CITY/*_polygons.json`` beside ``leftImg8bit``.
Without polygons the masks ``*_labelIds.png`` or ``*_labelTrainIds.png`` are. Beside a
``label_colors.txt``, as Datumaro writes it, label ids are of its classes. ``--classes``
is ``train``, the 19 that are trained on, or ``all`` 34 by their label ids.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ....compat.optional_packages import require
from ....errors import ArgumentError, DataError
from ....files import find_files
from ...images import SUFFIXES
from ..annotated_images import (
    IGNORED,
    Draw,
    ImageFile,
    Item,
    Shape,
    Size,
    Source,
    check_size,
)
from ..annotation_files import read_text
from ..class_names import Names, read_names
from ..overlap import check_order
from ..recognised import Ask, Recognised
from ..splits import part_of
from .masks import NO_PALETTE, draw_values

SOURCE = 'folder that holds leftImg8bit and gtFine'
POLYGONS = '_gtFine_polygons.json'
LABEL_IDS, TRAIN_IDS = '_gtFine_labelIds.png', '_gtFine_labelTrainIds.png'
COLOURS = 'label_colors.txt'
ENCODINGS = {'train': 'trainIds', 'all': 'ids'}  # as the scripts name them


def read(source: Path, classes: str = 'train', order: str = 'file') -> Source:
    """List the images that are labelled; raises ArgumentError, DataError."""
    check_order(order)
    if classes not in ENCODINGS:
        raise ArgumentError(f'--classes is {classes!r}: expected "train" or "all"')
    fine = source / 'gtFine'
    files, ending = _find_labels(fine)
    own = _own_names(source) if ending == LABEL_IDS else None
    found, table = Source(()), None
    if own is not None:
        found.classes, found.palette = own.classes, own.palette
    elif ending == TRAIN_IDS and classes == 'all':
        raise DataError(
            f"'{fine}' has masks of train ids alone, which do not tell all 34 labels: "
            'take --classes train'
        )
    else:
        found, table = _official(classes, order, ending)
    for file in files:
        part, *folders = file.relative_to(fine).parts[:-1]
        # The test's own labels are not public.
        if own is None and part not in ('train', 'val'):
            found.skipped[f"images of the part '{part}'"] += 1
            continue
        stem = file.name.removesuffix(ending)
        place = source.joinpath('leftImg8bit', part, *folders)
        image = ImageFile(_image(place, f'{stem}_leftImg8bit'))
        if ending == POLYGONS:
            draw: Draw = partial(_draw, file, ENCODINGS[classes])
        else:
            draw = partial(draw_values, table, len(found.classes), NO_PALETTE, file)
        found.items.append(Item('/'.join([*folders, stem]), part_of(part), image, draw))
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for Cityscapes' layout."""
    fine = data / 'gtFine'
    labels, ending = _find_labels(fine) if fine.is_dir() else ([], '')
    if not labels or not (data / 'leftImg8bit').is_dir():
        return None
    said = f"Cityscapes' layout, with its *{ending}"
    if ending == LABEL_IDS and _own_names(data):
        said += f" and the classes of '{COLOURS}'"
    return Recognised('cityscapes', data, said)


def _official(classes: str, order: str, ending: str) -> tuple[Source, dict[int, int]]:
    """Return Cityscapes' own classes, without images, and labels by stored value."""
    require('cityscapesscripts')
    from cityscapesscripts.helpers.labels import labels

    kept = [label for label in labels if label.id >= 0]
    if classes == 'train':
        kept = [label for label in labels if 0 <= label.trainId < 255]
        kept.sort(key=lambda label: label.trainId)
    fill = IGNORED if classes == 'train' else 0
    found = Source(tuple(label.name for label in kept), fill=fill, order=order)
    found.palette = [list(label.color) for label in kept]
    # Minus one, of number plates, is 255 in eight bits.
    encoded = [(label.id, label.trainId) for label in labels]
    if classes == 'all':
        encoded = [(label.id, label.id) for label in labels]
    elif ending == TRAIN_IDS:
        encoded = [(label.trainId, label.trainId) for label in labels]
    return found, {stored & 255: label for stored, label in [*encoded, (255, 255)]}


def _draw(file: Path, encoding: str, size: Size, notes: Counter[str]) -> list[Shape]:
    """Return the polygons that the scripts draw, in their order."""
    from cityscapesscripts.helpers.labels import name2label

    annotation = read_polygons(read_text(file), f"'{file}'")
    check_size((annotation.imgHeight, annotation.imgWidth), size)
    shapes = []
    for one in annotation.objects:
        known = one.label in name2label
        label = name2label[one.label if known else one.label.removesuffix('group')]
        if label.id < 0 or one.deleted:
            continue
        number = label.id if encoding == 'ids' else label.trainId
        shapes.append(Shape(number, partial(_covered, one.polygon, size)))
    return shapes


def _find_labels(fine: Path) -> tuple[list[Path], str]:
    """Return the polygons or, without any, masks of ids; and how their names end."""
    endings = (POLYGONS, LABEL_IDS, TRAIN_IDS)
    listed = ((find_files(fine, ending.lower()), ending) for ending in endings)
    return next((found for found in listed if found[0]), ([], POLYGONS))


def _own_names(source: Path) -> Names | None:
    """Return the classes that label ids count, if they are not Cityscapes' own."""
    file = source / COLOURS
    return read_names(file) if file.is_file() else None


def _image(folder: Path, stem: str) -> Path:
    """Return the PNG, or what there is in its place."""
    places = [folder / f'{stem}{suffix}' for suffix in ('.png', *SUFFIXES)]
    return next((place for place in places if place.is_file()), places[0])


def _covered(polygon: Sequence[Any], size: Size) -> np.ndarray:
    canvas = Image.new('L', size[::-1])
    ImageDraw.Draw(canvas).polygon(polygon, fill=1)
    return np.asarray(canvas) > 0


def draw_polygons(text: str, where: str) -> np.ndarray:
    """Draw a JSON file of Cityscapes to its label map of train ids, uint8 (H, W).

    Args:
        text: what the file holds.
        where: its name, for errors.

    Raises:
        DataError: as :func:`read_polygons` does.
    """
    from cityscapesscripts.preparation.json2labelImg import createLabelImage

    return np.asarray(createLabelImage(read_polygons(text, where), 'trainIds'))


def read_polygons(text: str, where: str) -> Any:
    """Read a JSON file of Cityscapes, as its scripts hold it.

    Args:
        text: what the file holds.
        where: its name, for errors.

    Raises:
        DataError: it is no such JSON, or names a label that Cityscapes does not have.
    """
    from cityscapesscripts.helpers.annotation import Annotation
    from cityscapesscripts.helpers.labels import name2label

    annotation = Annotation()
    try:
        annotation.fromJsonText(text)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        reason = f'{type(error).__name__}: {error}'
        raise DataError(
            f'{where} is no JSON of Cityscapes polygons, or is cut off ({reason}): '
            'unpack it again'
        ) from error
    for drawn in annotation.objects:  # the scripts end the process at an unknown one
        name = drawn.label
        if name not in name2label and name.removesuffix('group') not in name2label:
            raise DataError(
                f"{where} has the label '{name}', which Cityscapes does not have: "
                'correct it, or use another format'
            )
    return annotation
