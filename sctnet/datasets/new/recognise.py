"""What a folder or an export is taken for, and how that reads in a sentence."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, SCTNetError
from ...files import find_files
from ..convert.annotated_images import IGNORED
from ..convert.annotation_files import read_any_json, read_values
from ..convert.class_names import find_names
from ..convert.formats.coco import find_jsons
from ..convert.pairing import Pairs, find_pairs
from ..images import SUFFIXES
from ..parallel import run_all

SAMPLE = 64  # JSON files that are looked at
# Asks a question with its choices and the option that answers; returns a choice.
Ask = Callable[[str, Mapping[str, str], str], str]


@dataclass
class Recognised:
    """What a data set is taken for.

    Attributes:
        format_name: of :data:`sctnet.datasets.convert.formats.FORMATS`; None where the
            folder is used as it lies, ``images/train`` beside ``labels/train``.
        source: what that format's reader takes.
        said: the sentence.
        options: of the reader.
    """

    format_name: str | None
    source: Path
    said: str
    options: dict[str, Any] = field(default_factory=dict)


def recognise(
    data: Path, ask: Ask, masks: Path | None = None, given: Mapping[str, Any] = {}
) -> Recognised:
    """Look at a folder or a file and say what it is.

    Args:
        data: of the user.
        ask: answers where two readings are possible.
        masks: the folder of the masks, if it lies elsewhere.
        given: options that the user gave, such as ``classes`` or ``mapping``.

    Raises:
        DataError: there is nothing there, or nothing that is known.
    """
    if not data.exists():
        raise DataError(f"there is nothing at '{data}': check the path")
    if data.is_file():
        return _file(data)
    for look in (_own_layout, _published, _coco, _labelme):
        found = look(data) if masks is None else None
        if found is not None:
            return found
    return _masks(data, find_pairs(data, masks), ask, masks, given)


def _file(data: Path) -> Recognised:
    if data.suffix.lower() == '.json':
        return Recognised('coco', data, "a JSON file of COCO's form")
    raise DataError(
        f"'{data}' is a single file and no JSON: name the folder of the data set"
    )


def _own_layout(data: Path) -> Recognised | None:
    parts = all(
        (data / kind / part).is_dir()
        for kind in ('images', 'labels')
        for part in ('train', 'val')
    )
    known = find_names(data) if parts else None
    if known is None or known.file.name != 'dataset.json':
        return None
    return Recognised(None, data, 'a data set of images and index masks, used in place')


def _published(data: Path) -> Recognised | None:
    has = {path.name.lower() for path in data.iterdir() if path.is_dir()}
    if {'leftimg8bit', 'gtfine'} <= has and find_files(
        data / 'gtFine', '_polygons.json'
    ):
        return Recognised('cityscapes', data, "Cityscapes' layout, with polygons")
    if {'jpegimages', 'segmentationclass'} <= has:
        known = find_names(data)
        if known is not None and known.palette:
            return Recognised(
                'colours',
                data / 'JPEGImages',
                f"Pascal VOC's layout with colours of '{known.file.name}' (CVAT)",
                {'masks': data / 'SegmentationClass', 'colours': known.file},
            )
        options = {'classes': ','.join(known.classes)} if known else {}
        return Recognised('voc', data, "Pascal VOC's layout", options)
    return None


def _coco(data: Path) -> Recognised | None:
    found = find_jsons(data)
    if not found:
        return None
    parts = sorted({part for _, part in found if part})
    listed = f', with the parts {", ".join(parts)}' if parts else ''
    said = f"{len(found)} JSON {'file' if len(found) == 1 else 'files'} of COCO's form"
    return Recognised('coco', data, said + listed)


def _labelme(data: Path) -> Recognised | None:
    files = find_files(data, ('.json',))
    shaped = 0
    for file in files[:SAMPLE]:
        try:
            content = read_any_json(file)
        except DataError:
            continue
        shaped += isinstance(content, dict) and isinstance(content.get('shapes'), list)
    if not shaped:
        return None
    return Recognised('labelme', data, f"{len(files)} JSON files of labelme's form")


def _masks(
    data: Path,
    pairs: Pairs,
    ask: Ask,
    masks: Path | None,
    given: Mapping[str, Any],
) -> Recognised:
    if not pairs.pairs:
        images = len(find_files(data, SUFFIXES))
        raise DataError(
            f"'{data}' has {images} images and no mask that belongs to one, nor an "
            'annotation file of a known form: put masks into a folder masks beside '
            'images, name their folder with --masks, or name the format by sctnet '
            'convert'
        )
    options: dict[str, Any] = {} if masks is None else {'masks': masks}
    try:
        seen = _values([mask for _, mask, _ in pairs.pairs])
    except DataError as error:
        if 'is in colours' in str(error):
            return _colours(data, masks, error)
        raise
    said = f'{len(pairs.pairs)} images with index masks, of the values {_few(seen)}'
    known = find_names(data)
    mapping = given.get('mapping')
    binary = len(seen) == 2 and seen[0] == 0 and seen[1] in (1, 255)
    if mapping is None and binary and seen[1] == 255:
        mapping = options['mapping'] = _ask_of_255(ask)
    if given.get('classes'):
        pass
    elif known is not None:
        said += f", named by '{known.file.name}'"
    elif binary:
        options['classes'] = 'background,object'
    else:
        options['classes'] = ','.join(_made_up(seen, mapping))
    return Recognised('masks', data, said, options)


def _values(masks: list[Path]) -> list[int]:
    """Return all values that masks hold; a broken mask is named when it is converted.

    Raises:
        DataError: the first one is no index mask.
    """
    found = {int(value) for value in np.unique(read_values(masks[0]))}
    with closing(run_all(lambda mask: np.unique(read_values(mask)), masks[1:])) as all_:
        for _, values in all_:
            if not isinstance(values, SCTNetError):
                found.update(map(int, values))
    return sorted(found)


def _ask_of_255(ask: Ask) -> str:
    answer = ask(
        'The masks hold 0 and 255. Is 255 the object, or does it mean "ignore"?',
        {'object': '0 is the background, 255 the object', 'ignore': '255 counts not'},
        '--map 0:0,255:1 or --map 0:0,255:ignore',
    )
    return '0:0,255:1' if answer == 'object' else '0:0,255:ignore'


def _colours(data: Path, masks: Path | None, error: DataError) -> Recognised:
    known = find_names(data)
    if known is None or not known.palette:
        raise DataError(
            f'{error}; sctnet new finds such a list beside the data, as labelmap.txt '
            'or label_colors.txt'
        ) from error
    options: dict[str, Any] = {'colours': known.file}
    folder = masks or next(
        (path for path in sorted(data.iterdir()) if path.name.lower() == 'masks'), None
    )
    if folder is None:
        raise ArgumentError(
            f"the masks of '{data}' are in colours, and their folder is not clear: "
            'name it with --masks'
        )
    images = next(
        (p for p in sorted(data.iterdir()) if p.name.lower() == 'images'), data
    )
    return Recognised(
        'colours',
        images,
        f"colour masks, with the colours of '{known.file.name}'",
        {**options, 'masks': folder},
    )


def _made_up(seen: list[int], mapping: str | None) -> list[str]:
    """Return names for classes that have none: as many as there are labels."""
    labels = [value for value in seen if value != IGNORED]
    if mapping is not None:
        targets = (pair.partition(':')[2].strip() for pair in mapping.split(','))
        labels = [int(target) for target in targets if target.isdigit()]
    return [f'class {number}' for number in range(max([1, *labels]) + 1)]


def _few(values: list[int]) -> str:
    text = ', '.join(map(str, values[:8]))
    return f'{text}, ... {values[-1]}' if len(values) > 8 else text
