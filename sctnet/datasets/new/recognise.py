"""What a folder or an export is taken for, and how that reads in a sentence."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DataError
from ..convert.class_names import COLOUR_FILES, find_names
from ..convert.formats import FORMATS
from ..convert.pairing import find_pairs
from ..convert.recognised import Ask, Recognised
from ..convert.splits import part_of
from .recognise_masks import are_coloured, recognise_masks

# Whole layouts: what else lies there is theirs.
_LAYOUTS = ('cityscapes', 'vistas', 'mvtec')
ARCHIVES = re.compile(r'.+\.(zip|tar|tgz|gz|bz2|xz|7z|rar)', re.IGNORECASE)
_BESIDE = re.compile(r'\.|__macosx|readme|license', re.IGNORECASE)  # of no meaning


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
        return _file(data, ask)
    if masks is not None:
        return recognise_masks(data, ask, masks, given)
    layouts = (FORMATS[name].recognise(data, ask) for name in _LAYOUTS)
    found = _own_layout(data) or _layout_of_masks(data, ask, given)
    found = found or next(filter(None, layouts), None)
    if found is not None:
        return found
    inner = _wrapped(data)
    if inner is not None:
        found = recognise(inner, ask, None, given)
        found.said += f", in its folder '{inner.name}'"
        return found
    readings = _readings(data, ask)
    # The PNGs of panoptic segments look like masks.
    if readings and 'panoptic' not in readings and _has_masks(data):
        readings['masks'] = Recognised('masks', data, 'images with masks')
    if len(readings) > 1:
        choices = {name: one.said for name, one in readings.items()}
        option = f'--format {" or ".join(name for name in choices if name != "masks")}'
        option += ', or --masks FOLDER' if 'masks' in choices else ''
        chosen = ask(f"What of '{data}' is meant?", choices, option)
        readings = {chosen: readings[chosen]}
    if not readings or 'masks' in readings:
        return recognise_masks(data, ask, None, given)
    return next(iter(readings.values()))


def _wrapped(data: Path) -> Path | None:
    """Return the only folder there, as unpacking makes it; None beside other files."""
    kept = [p for p in data.iterdir() if not _BESIDE.match(p.name)]
    alone = len(kept) == 1 and kept[0].is_dir() and part_of(kept[0].name) is None
    return kept[0] if alone else None


def _readings(data: Path, ask: Ask) -> dict[str, Recognised]:
    """Return what each format takes the data for, without the layouts."""
    found = {
        name: module.recognise(data, ask)
        for name, module in FORMATS.items()
        if hasattr(module, 'recognise') and name not in _LAYOUTS
    }
    return {name: one for name, one in found.items() if one is not None}


def _file(data: Path, ask: Ask) -> Recognised:
    readings = _readings(data, ask)
    found = FORMATS['vistas'].recognise(data, ask)
    # Any JSON may be COCO's, whose reader says what it lacks.
    coco = readings.pop('coco', None)
    found = found or next(iter(readings.values()), coco)
    if found is None and ARCHIVES.fullmatch(data.name):
        raise DataError(f"'{data}' is an archive: unpack it, and name its folder")
    if found is None:
        raise DataError(
            f"'{data}' is a single file and no JSON, XML, CSV or data.yaml: name the "
            'folder of the data set'
        )
    return found


def _has_masks(data: Path) -> bool:
    try:
        return bool(find_pairs(data).pairs)
    except DataError:
        return False


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


def _layout_of_masks(
    data: Path, ask: Ask, given: Mapping[str, Any]
) -> Recognised | None:
    """Look for Pascal VOC's and KITTI's folders, with masks of any classes."""
    masks = data / 'SegmentationClass'
    if (data / 'JPEGImages').is_dir() and masks.is_dir():
        return _pascal(data, masks, ask, given)
    if any(data.glob('*/image_2')) and any(data.glob('*/semantic')):
        found = recognise_masks(data, ask, data / 'semantic', given)
        found.said = f"KITTI's layout, {found.said}"
        return found
    return None


def _pascal(data: Path, masks: Path, ask: Ask, given: Mapping[str, Any]) -> Recognised:
    known = find_names(data)
    listed = known is not None and known.palette and known.file.name in COLOUR_FILES
    colours = given.get('colours') or (known.file if known and listed else None)
    if colours is not None or are_coloured(masks):
        chosen = {**given, 'colours': colours}
        found = recognise_masks(data / 'JPEGImages', ask, masks, chosen)
        lists = data / 'ImageSets' / 'Segmentation'
        if any(lists.glob('*.txt')):
            found.options['lists'] = lists
        found.said = f"Pascal VOC's layout, {found.said}"
        return found
    if not known and not given.get('classes'):
        ask(
            "Are the classes Pascal VOC's own 21, aeroplane, bicycle and so on?",
            {'yes': 'they are; for others give --classes'},
            f"--classes NAMES, or '{data}' --format voc for its own",
        )
    named = {'classes': known.classes} if known else {}
    return Recognised('voc', data, "Pascal VOC's layout", named)
