"""Cityscapes' own layout, with polygons, drawn by its own scripts.

What is read is ``gtFine/{train,val}/CITY/*_polygons.json`` beside ``leftImg8bit``.
Without polygons the masks ``*_labelIds.png`` or ``*_labelTrainIds.png`` are.
"""

import argparse
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from ....compat.optional_packages import require
from ....errors import ArgumentError, DataError
from ....files import find_files
from ..annotated_images import Draw, ImageFile, Item, Size, Source
from ..annotation_files import read_text
from .masks import draw_values

SOURCE = 'folder that holds leftImg8bit and gtFine'
POLYGONS = '_gtFine_polygons.json'
LABEL_IDS, TRAIN_IDS = '_gtFine_labelIds.png', '_gtFine_labelTrainIds.png'
ENCODINGS = {'train': 'trainIds', 'all': 'ids'}  # as the scripts name them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``read`` takes."""
    parser.add_argument(
        '--classes',
        choices=ENCODINGS,
        default='train',
        help='the 19 that are trained on (default), or all 34 by their label ids',
    )


def read(source: Path, classes: str = 'train') -> Source:
    """List the images that are labelled; raises ArgumentError, DataError."""
    require('cityscapesscripts')
    from cityscapesscripts.helpers.labels import labels

    if classes not in ENCODINGS:
        raise ArgumentError(f'--classes is {classes!r}: expected "train" or "all"')
    if classes == 'train':
        kept = sorted(
            (label for label in labels if 0 <= label.trainId < 255),
            key=lambda label: label.trainId,
        )
    else:
        kept = [label for label in labels if label.id >= 0]
    names = tuple(label.name for label in kept)
    found = Source(names, palette=[list(label.color) for label in kept])
    fine = source / 'gtFine'
    files, ending = find_labels(fine)
    if ending == TRAIN_IDS and classes == 'all':
        raise DataError(
            f"'{fine}' has masks of train ids alone, which do not tell all 34 labels: "
            'take --classes train'
        )
    # Minus one, of number plates, is 255 in eight bits.
    encoded = [(label.id, label.trainId) for label in labels]
    if classes == 'all':
        encoded = [(label.id, label.id) for label in labels]
    elif ending == TRAIN_IDS:
        encoded = [(label.trainId, label.trainId) for label in labels]
    table = {stored & 255: label for stored, label in [*encoded, (255, 255)]}
    for file in files:
        part, *folders = file.relative_to(fine).parts[:-1]
        if part not in ('train', 'val'):  # the test's labels are not public
            found.skipped[f"images of the part '{part}'"] += 1
            continue
        stem = file.name.removesuffix(ending)
        place = source.joinpath('leftImg8bit', part, *folders)
        image = ImageFile(place / f'{stem}_leftImg8bit.png')
        if ending == POLYGONS:
            draw: Draw = partial(_draw, file, ENCODINGS[classes])
        else:
            draw = partial(draw_values, file, table, len(names))
        found.items.append(Item('/'.join([*folders, stem]), part, image, draw))
    return found


def find_labels(fine: Path) -> tuple[list[Path], str]:
    """Return the polygons or, without any, masks of ids; and how their names end."""
    endings = (POLYGONS, LABEL_IDS, TRAIN_IDS)
    listed = ((find_files(fine, ending.lower()), ending) for ending in endings)
    return next((found for found in listed if found[0]), ([], POLYGONS))


def _draw(file: Path, encoding: str, size: Size, notes: Counter[str]) -> np.ndarray:
    return draw_polygons(read_text(file), f"'{file}'", encoding)


def draw_polygons(text: str, where: str, encoding: str = 'trainIds') -> np.ndarray:
    """Draw a JSON file of Cityscapes to its label map, uint8 (H, W).

    Args:
        text: what the file holds.
        where: its name, for errors.
        encoding: ``'trainIds'`` or ``'ids'``.

    Raises:
        DataError: it is no such JSON, or names a label that Cityscapes does not have.
    """
    from cityscapesscripts.helpers.annotation import Annotation
    from cityscapesscripts.helpers.labels import name2label
    from cityscapesscripts.preparation.json2labelImg import createLabelImage

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
    return np.asarray(createLabelImage(annotation, encoding))
