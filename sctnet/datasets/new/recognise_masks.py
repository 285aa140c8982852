"""What masks mean: indices, 0 and 255, and the names of their classes."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, SCTNetError
from ...files import find_files
from ..convert.annotated_images import IGNORED
from ..convert.annotation_files import (
    LOSSLESS,
    ColouredMaskError,
    read_values,
)
from ..convert.class_names import find_names
from ..convert.options import parse_classes
from ..convert.pairing import (
    MASK_WORDS,
    find_pairs,
    folder_words,
    mask_folder,
)
from ..convert.recognised import Ask, Recognised
from ..convert.split_lists import read_lists
from ..convert.splits import without_part
from ..images import LOSSY, SUFFIXES
from ..parallel import run_all
from .recognise_colours import SAMPLE, UnnamedColoursError, recognise_colours


def recognise_masks(
    data: Path, ask: Ask, masks: Path | None, given: Mapping[str, Any]
) -> Recognised:
    """Look at images and masks; raises and takes what ``recognise`` does."""
    if masks is None:
        masks = _one_of_many(data, ask)
    pairs = find_pairs(data, masks)
    if not pairs.pairs:
        images = len(find_files(data, SUFFIXES))
        raise DataError(
            f"'{data}' has {images} images and no mask that belongs to one, nor an "
            'annotation file of a known form (COCO, YOLO with data.yaml, labelme, run '
            'lengths in a CSV), nor the folders of Pascal VOC, Cityscapes, Mapillary '
            'Vistas or MVTec AD: put masks into a folder masks beside images, name '
            'their folder with --masks, or name the format with --format'
        )
    options: dict[str, Any] = {} if masks is None else {'masks': masks}
    if given.get('colours'):
        return recognise_colours(data, pairs, {**options, 'colours': given['colours']})
    try:
        seen = _values([mask for _, mask, _ in pairs.pairs])
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
        f'{mask.name}, of the values {_few(seen)}'
    )
    if not given.get('lists') and _is_listed(data, [path for *_, path in pairs.pairs]):
        options['lists'] = data
        said += ', with the parts of its lists'
    known = None if given.get('classes') else find_names(data)
    said += f", named by '{known.file.name}'" if known else ''
    names = known.classes if known else given.get('classes')
    camvid = (data / 'trainannot').is_dir()
    meaning = _meaning(seen, names, given.get('mapping'), camvid, ask)
    return Recognised('masks', data, said, {**options, **meaning})


def _meaning(
    seen: list[int],
    names: str | Sequence[str] | None,
    mapping: str | None,
    camvid: bool,
    ask: Ask,
) -> dict[str, Any]:
    """Return names of the classes and a map of the values, where they are not known."""
    options: dict[str, Any] = {}
    binary = seen in ([0, 1], [0, 255])
    if mapping is None and seen == [0, 255]:
        mapping = options['mapping'] = _ask_of_255(ask)
    if names:
        return options if mapping else _void(seen, parse_classes(names), ask)
    if mapping is None and camvid and seen[-1] == 11:
        return _camvid(ask)
    options['classes'] = ('background', 'object')
    if not binary:
        options['classes'] = _made_up(seen, mapping)
    return options


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


def _void(seen: list[int], names: tuple[str, ...], ask: Ask) -> dict[str, Any]:
    """Return a map where the masks hold one value past the classes, as void often is.

    Other values past them are no numbering; they are named when they are converted.
    """
    count = len(names)
    if count not in seen or seen[-1] not in (count, IGNORED):
        return {}
    question = (
        f'The masks hold {count}, which is none of the {count} classes '
        f'{", ".join(names[:3])}, .... Is it to ignore?'
    )
    ask(question, {'ignore': 'it is'}, f'--map {count}:ignore, or --classes')
    return {'mapping': f'{count}:ignore'}


def _one_of_many(data: Path, ask: Ask) -> Path | None:
    """Return the folder of masks that is meant, or its name in each of the parts.

    None where there is one set of masks.

    Raises:
        DataError: there are several, and no name tells one.
    """
    folders: dict[frozenset[str], set[Path]] = {}
    for file in find_files(data, LOSSLESS):
        folder = mask_folder(data, file)
        if folder is not None:
            kind = frozenset(MASK_WORDS.intersection(folder_words(folder.name)))
            folders.setdefault(kind, set()).add(folder)
    listed = sorted({path for paths in folders.values() for path in paths})
    if len(folders) < 2:
        return None
    by_name: dict[str, list[Path]] = {}
    for path in listed:
        by_name.setdefault(path.name, []).append(path)
    twice = any(len(paths) > 1 and data / n in paths for n, paths in by_name.items())
    if twice or len(by_name) > len(folders):
        raise DataError(
            f"'{data}' has several masks of each image "
            f'({", ".join(str(path.relative_to(data)) for path in listed[:6])}): move '
            'those elsewhere that are not meant'
        )
    meant = {n: ps[0] if len(ps) == 1 else data / n for n, ps in by_name.items()}
    choices = dict.fromkeys(by_name, 'a folder of masks')
    option = f'--masks {" or ".join(map(str, meant.values()))}'
    return meant[ask(f"Which masks of '{data}' are meant?", choices, option)]


def _is_listed(data: Path, names: list[Path]) -> bool:
    """Whether lists of the parts, as PaddleSeg's, lie there and name the images."""
    if any(without_part(name)[0] for name in names):
        return False
    try:
        listed = read_lists(data)
    except DataError:
        return False
    last = {name.rpartition('/')[2] for name in listed}
    return any(name.stem in last for name in names)


def _camvid(ask: Ask) -> dict[str, Any]:
    from ..camvid import CamVidDataset

    classes = CamVidDataset.METAINFO['classes']
    names = ','.join(classes)
    answer = ask(
        "The folders are those of SegNet's CamVid, of 11 classes and 11 for void. Are "
        'the values its own?',
        {'yes': f'they are {names}', 'no': '11 is a class as others are'},
        f'--classes {shlex.quote(names)} --map 11:ignore, or --classes of all 12',
    )
    if answer == 'yes':
        return {'classes': classes, 'mapping': '11:ignore'}
    return {'classes': [f'class {number}' for number in range(12)]}


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


def _ask_of_255(ask: Ask) -> str:
    answer = ask(
        'The masks hold 0 and 255. Is 255 the object, or does it mean "ignore"?',
        {'object': '0 is the background, 255 the object', 'ignore': '255 counts not'},
        '--map 0:0,255:1 or --map 0:0,255:ignore',
    )
    return '0:0,255:1' if answer == 'object' else '0:0,255:ignore'


def _made_up(seen: list[int], mapping: str | None) -> list[str]:
    """Return names for classes that have none: as many as there are labels.

    Raises:
        ArgumentError: the values are no numbering of classes.
    """
    labels = [value for value in seen if value != IGNORED]
    if mapping is not None:
        targets = (pair.partition(':')[2].strip() for pair in mapping.split(','))
        labels = [int(target) for target in targets if target.isdigit()]
    if labels and (min(labels) < 0 or max(labels) > 2 * len(labels) + 8):
        raise ArgumentError(
            f'the masks hold the values {_few(labels)}, which are no numbers of '
            'classes: say which class each is, such as --map 0:0,60:1,120:2'
        )
    return [f'class {number}' for number in range(max([1, *labels]) + 1)]


def _few(values: list[int]) -> str:
    text = ', '.join(map(str, values[:8]))
    return f'{text}, ... {values[-1]}' if len(values) > 8 else text
