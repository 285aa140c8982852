"""MVTec AD's layout: train/good, test and ground_truth, of one category or of several.

Each kind of defect is a class, ``broken_large``, or of several categories
``bottle/broken_large``; all else is the background, and so are good images. Its train
holds good images alone, so that all images are shared out anew. Masks are 0, and 255 or
any other value where the defect is; of MVTec LOCO's several masks an image, all count.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ....errors import DataError
from ....files import find_files
from ...images import SUFFIXES, amount
from ..annotated_images import ImageFile, Item, Size, Source, check_size
from ..annotation_files import LOSSLESS, read_values
from ..recognised import Ask, Recognised

SOURCE = 'folder of a category, or of several'
MASKS = 'ground_truth'
GOOD = 'good'


def read(source: Path) -> Source:
    """List the images of all parts; raises DataError."""
    categories = _find_categories(source)
    if not categories:
        raise DataError(
            f"'{source}' has no test and {MASKS} in it, nor a folder with both: "
            "expected MVTec AD's layout, such as bottle/test/broken_large/000.png"
        )
    found = Source(())
    names = ['background']
    for category in categories:
        above = '' if category == source else f'{category.name}/'
        for image in find_files(category, SUFFIXES):
            part, *kinds, _ = image.relative_to(category).parts
            if part == MASKS or not kinds:
                continue
            masks = _masks(category.joinpath(MASKS, *kinds), image.stem)
            if kinds[0] != GOOD and not masks:
                found.leave_out('images without a mask', image)
                continue
            label = 0
            if kinds[0] != GOOD:
                name = f'{above}{kinds[0]}'
                names += [name] if name not in names else []
                label = names.index(name)
            name = f'{above}{"_".join([part, *kinds, image.stem])}'
            draw = partial(_draw, masks, label)
            found.items.append(Item(name, None, ImageFile(image), draw))
    found.classes = tuple(names)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for MVTec AD's layout."""
    count = len(_find_categories(data)) if data.is_dir() else 0
    said = f"MVTec AD's layout, {amount(count, 'category')}, all parts shared anew"
    return Recognised('mvtec', data, said) if count else None


def _find_categories(folder: Path) -> list[Path]:
    """Return the folders of MVTec AD's layout: this one, or those in it."""
    return [
        place
        for place in (folder, *sorted(folder.iterdir()))
        if (place / MASKS).is_dir() and (place / 'test').is_dir()
    ]


def _masks(folder: Path, stem: str) -> list[Path]:
    """Return the masks of an image: 000_mask.png, 000.png, or all below 000."""
    for name in (f'{stem}_mask', stem):
        for suffix in LOSSLESS:
            if (folder / f'{name}{suffix}').is_file():
                return [folder / f'{name}{suffix}']
    return find_files(folder / stem, LOSSLESS) if (folder / stem).is_dir() else []


def _draw(
    masks: Sequence[Path], label: int, size: Size, notes: Counter[str]
) -> np.ndarray:
    """Draw the label where one of the masks is not 0."""
    labels = np.zeros(size, np.uint8)
    for mask in masks:
        values = read_values(mask)
        check_size(values.shape, size)
        labels[values > 0] = label
    return labels
