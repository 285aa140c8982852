"""What masks mean: indices, 0 and 255, and the names of their classes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, SCTNetError
from ...files import find_files
from ..convert.annotation_files import (
    LOSSLESS,
    ColouredMaskError,
    keys_in,
    read_any_json,
    read_values,
)
from ..convert.class_names import find_names
from ..convert.options import parse_classes
from ..convert.pairing import (
    MASK_WORDS,
    Pairs,
    find_pairs,
    folder_words,
    is_mask,
    mask_folder,
)
from ..convert.recognised import Ask, Recognised
from ..convert.split_lists import read_lists
from ..convert.splits import without_part
from ..images import LOSSY, SUFFIXES, amount
from ..parallel import run_all
from .mask_values import (
    are_smeared,
    ask_of_255,
    ask_of_camvid,
    ask_of_one_too_many,
    few,
    made_up,
    named_or_seen,
)
from .recognise_colours import SAMPLE, UnnamedColoursError, recognise_colours

_OBJECTS = 'SegmentationObject'  # instances, beside the masks of classes


def recognise_masks(
    data: Path, ask: Ask, masks: Path | None, given: Mapping[str, Any]
) -> Recognised:
    """Look at images and masks; raises and takes what ``recognise`` does."""
    images = given.get('images')
    if images and masks is None:  # the export of masks alone
        masks = next(data.glob('SegmentationClass'), data)
    elif masks is None:
        masks = _one_of_many(data, ask)
    pairs = find_pairs(Path(images or data), masks)
    if not images and {i.parent.name for i, *_ in pairs.pairs} <= {_OBJECTS}:
        _check_others(data, pairs)
    if not pairs.pairs:
        raise DataError(
            f"'{data}' has {amount(len(pairs.images), 'image')} and no mask that "
            f'belongs to one{_beside(data, pairs)}, nor an annotation file of a known '
            'form (COCO, YOLO with data.yaml, labelme, run lengths in a CSV), nor the '
            'folders of Pascal VOC, Cityscapes, Mapillary Vistas or MVTec AD: put '
            "masks of the images' names into a folder masks beside images, name their "
            'folder with --masks, or name the format with --format'
        )
    options: dict[str, Any] = {} if masks is None else {'masks': masks}
    if given.get('colours'):
        return recognise_colours(data, pairs, {**options, 'colours': given['colours']})
    try:
        mapped = bool(given.get('mapping'))
        seen = _values([mask for _, mask, _ in pairs.pairs], mapped)
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
        f'{amount(len(pairs.pairs), "image")} with index masks, such as {image.name} '
        f'with {mask.name}, of the values {few(seen)}'
    )
    if not given.get('lists') and _is_listed(data, [path for *_, path in pairs.pairs]):
        options['lists'] = data
        said += ', with the parts of its lists'
    known = None if given.get('classes') else find_names(data)
    said += f", named by '{known.file.name}'" if known else ''
    names = known.classes if known else given.get('classes')
    if known and images:
        options['classes'] = names
    camvid = (data / 'trainannot').is_dir()
    meaning = _meaning(seen, names, given.get('mapping'), camvid, ask)
    if known and not (meaning or given.get('mapping')):
        meaning = named_or_seen(known.classes, seen)
    if given.get('rename'):  # whose names are others
        meaning.pop('keep', None)
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
    if mapping is None and seen == [0, 255]:
        mapping = options['mapping'] = ask_of_255(ask)
    if names:
        many = {} if mapping else ask_of_one_too_many(seen, parse_classes(names), ask)
        return {**options, **many}
    if mapping is None and camvid and seen[-1] == 11:
        return ask_of_camvid(ask)
    if seen in ([0, 1], [0, 255]):
        return {**options, 'classes': ('background', 'object')}
    return made_up(seen, mapping, ask)


def _check_others(data: Path, pairs: Pairs) -> None:
    """Say why there is no pair where one thing is to blame; raises DataError."""
    for file in find_files(data, '.json')[:SAMPLE]:
        read_any_json(file)  # raises
        if keys_in(file, 'shape_attributes'):
            raise DataError(
                f"'{file}' is VIA's own JSON, which is not read: export it from VIA as "
                'COCO'
            )
    files = find_files(data, SUFFIXES)
    if not files:
        kinds = ', '.join(SUFFIXES)
        beside = _beside(data, pairs)
        raise DataError(f"'{data}' has no image ({kinds}){beside}: name another folder")
    if all(is_mask(data, file) or file.parent.name == _OBJECTS for file in files):
        raise DataError(
            f"'{data}' has {len(files)} masks and no image: name the folder of the "
            'images with --images'
        )


def are_coloured(folder: Path) -> bool:
    """Whether one of the first masks below a folder is in colours, or all are JPEG."""
    masks = find_files(folder, LOSSLESS)
    try:
        _values(masks[:SAMPLE], True)
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


def _values(masks: list[Path], mapped: bool) -> list[int]:
    """Return all values that masks hold; a broken mask is named when it is converted.

    Raises:
        DataError: the first one is no index mask.
        ArgumentError: some are of 0 and 1, others of 0 and 255, and no map says more.
    """
    found: set[int] = set()
    forms: set[frozenset[int]] = set()
    wrong: SCTNetError | None = None
    with closing(run_all(lambda mask: np.unique(read_values(mask)), masks)) as all_:
        for _, values in all_:
            if isinstance(values, ColouredMaskError):
                raise values
            if isinstance(values, SCTNetError):
                wrong = values
            else:
                found.update(map(int, values))
                forms.add(frozenset(values[:3].tolist()) - {0})
    if not mapped and forms - {frozenset()} == {frozenset({1}), frozenset({255})}:
        raise ArgumentError(
            'some masks hold 0 and 1, others 0 and 255: say what 255 is with --map '
            '0:0,1:1,255:1 or --map 0:0,1:1,255:ignore'
        )
    if not found and wrong is not None:
        raise wrong
    return sorted(found)
