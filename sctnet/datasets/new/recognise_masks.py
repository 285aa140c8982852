"""What masks mean: indices, 0 and 255, and the names of their classes."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError, SCTNetError
from ...files import find_files
from ..convert.annotation_files import (
    LOSSLESS,
    ColouredMaskError,
    read_values,
)
from ..convert.class_names import find_names
from ..convert.options import parse_classes
from ..convert.pairing import (
    MASK_WORDS,
    Pairs,
    find_pairs,
    folder_words,
    mask_folder,
)
from ..convert.split_lists import read_lists
from ..convert.splits import without_part
from ..images import LOSSY, SUFFIXES
from ..parallel import run_all
from .mask_values import (
    are_smeared,
    ask_of_255,
    ask_of_camvid,
    ask_of_one_too_many,
    few,
    made_up,
)
from .recognise_colours import SAMPLE, UnnamedColoursError, recognise_colours
from .recognised import Ask, Recognised


def recognise_masks(
    data: Path, ask: Ask, masks: Path | None, given: Mapping[str, Any]
) -> Recognised:
    """Look at images and masks; raises and takes what ``recognise`` does."""
    if masks is None:
        masks = _one_of_many(data, ask)
    pairs = find_pairs(data, masks)
    if not pairs.pairs:
        raise DataError(
            f"'{data}' has {len(pairs.images)} images and no mask that belongs to one"
            f'{_beside(data, pairs)}, nor an annotation file of a known form (COCO, '
            'YOLO with data.yaml, labelme, run lengths in a CSV), nor the folders of '
            'Pascal VOC, Cityscapes, Mapillary Vistas or MVTec AD: put masks of the '
            "images' names into a folder masks beside images, name their folder with "
            '--masks, or name the format with --format'
        )
    options: dict[str, Any] = {} if masks is None else {'masks': masks}
    if given.get('colours'):
        return recognise_colours(data, pairs, {**options, 'colours': given['colours']})
    try:
        seen = _values([mask for _, mask, _ in pairs.pairs])
        if are_smeared(seen) and not (given.get('classes') or given.get('mapping')):
            return recognise_colours(data, pairs, options)
    except ColouredMaskError:
        return recognise_colours(data, pairs, options)
    except DataError:
        try:
            return recognise_colours(data, pairs, options)  # JPEG may hold colours
        except UnnamedColoursError as error:
            if len(error.shares) > 1:
                raise
        raise
    image, mask, _ = pairs.pairs[0]
    said = (
        f'{len(pairs.pairs)} images with index masks, such as {image.name} with '
        f'{mask.name}, of the values {few(seen)}'
    )
    known = None if given.get('classes') else find_names(data)
    mapping = given.get('mapping')
    if not given.get('lists') and _is_listed(data, [path for *_, path in pairs.pairs]):
        options['lists'] = data
        said += ', with the parts of its lists'
    binary = len(seen) == 2 and seen[0] == 0 and seen[1] in (1, 255)
    if mapping is None and binary and seen[1] == 255:
        mapping = options['mapping'] = ask_of_255(ask)
    if given.get('classes'):
        pass
    elif known is not None:
        said += f", named by '{known.file.name}'"
    elif binary:
        options['classes'] = ('background', 'object')
    elif mapping is None and seen[-1] == 11 and (data / 'trainannot').is_dir():
        options.update(ask_of_camvid(ask))
    else:
        options.update(made_up(seen, mapping, ask))
    names = given.get('classes') or (known.classes if known else ())
    if mapping is None and names:
        options.update(ask_of_one_too_many(seen, parse_classes(names), ask))
    return Recognised('masks', data, said, options)


def are_coloured(folder: Path) -> bool:
    """Whether one of the first masks below a folder is in colours, or all are JPEG."""
    masks = find_files(folder, LOSSLESS)
    try:
        _values(masks[:SAMPLE])
    except ColouredMaskError:
        return True
    except DataError:  # named when it is converted
        return False
    return not masks and bool(find_files(folder, LOSSY))


def _beside(data: Path, pairs: Pairs) -> str:
    """Return in words what lies there that belongs to no image, or is not known."""
    known = {*SUFFIXES, *LOSSLESS, *LOSSY}
    others = Counter(Path(file).suffix.lower() for file in find_files(data, ''))
    listed = [f'{len(pairs.masks)} masks of other names'] if pairs.masks else []
    listed += [
        f'{count} {suffix} files'
        for suffix, count in others.most_common()
        if suffix and suffix not in known
    ][:4]
    return f', beside {", ".join(listed)}' if listed else ''


def _one_of_many(data: Path, ask: Ask) -> Path | None:
    """Return the folder of masks that is meant, where there are several sets of them.

    Raises:
        DataError: each part has several.
    """
    folders: dict[frozenset[str], set[Path]] = {}
    for file in find_files(data, LOSSLESS):
        folder = mask_folder(data, file)
        if folder is not None:
            kind = frozenset(folder_words(folder.name) & MASK_WORDS)
            folders.setdefault(kind, set()).add(folder)
    listed = sorted({path for paths in folders.values() for path in paths})
    if len(folders) < 2:
        return None
    if any(len(paths) > 1 for paths in folders.values()):
        raise DataError(
            f"'{data}' has several masks of each image "
            f'({", ".join(str(path.relative_to(data)) for path in listed[:6])}): move '
            'those elsewhere that are not meant'
        )
    by_name = {path.name: path for path in listed}
    choices = dict.fromkeys(by_name, 'a folder of masks')
    option = f'--masks {" or ".join(map(str, listed))}'
    return by_name[ask(f"Which masks of '{data}' are meant?", choices, option)]


def _is_listed(data: Path, names: list[Path]) -> bool:
    """Whether lists of the parts, as PaddleSeg's, lie there and name the images."""
    if any(without_part(name)[0] for name in names):
        return False
    try:
        listed = read_lists(data)
    except DataError:
        return False
    last = {name.rpartition('/')[2] for name in listed}
    return any(name.name in last for name in names)


def _values(masks: list[Path]) -> list[int]:
    """Return all values that masks hold; a broken mask is named when it is converted.

    Raises:
        DataError: the first one is no index mask.
    """
    found: set[int] = set()
    wrong: SCTNetError | None = None
    with closing(run_all(lambda mask: np.unique(read_values(mask)), masks)) as all_:
        for _, values in all_:
            if isinstance(values, ColouredMaskError):
                raise values
            if isinstance(values, SCTNetError):
                wrong = values
            else:
                found.update(map(int, values))
    if not found and wrong is not None:
        raise wrong
    return sorted(found)
