"""What a folder or an export is taken for, and how that reads in a sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import find_files
from ..convert.annotation_files import read_any_json
from ..convert.class_names import COLOUR_FILES, find_names
from ..convert.formats import cvat
from ..convert.formats.coco import find_jsons
from ..convert.formats.label_studio import find_brushes, find_tasks
from ..convert.label_studio_tasks import is_tasks
from .recognise_masks import Ask, Recognised, are_coloured, recognise_masks

SAMPLE = 64  # JSON files that are looked at


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
    if masks is None:
        found = _own_layout(data) or _published(data, ask, given)
        found = found or _coco(data) or _cvat(data) or _label_studio(data)
        found = found or _labelme(data)
        if found is not None:
            return found
    return recognise_masks(data, ask, masks, given)


def _file(data: Path) -> Recognised:
    if data.suffix.lower() == '.json':
        if is_tasks(read_any_json(data)):
            return Recognised('label_studio', data, "a JSON file of Label Studio's")
        return Recognised('coco', data, "a JSON file of COCO's form")
    if data.suffix.lower() == '.xml':
        return Recognised('cvat', data, "an XML file of CVAT's for images")
    raise DataError(
        f"'{data}' is a single file and no JSON or XML: name the folder of the data set"
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


def _published(data: Path, ask: Ask, given: Mapping[str, Any]) -> Recognised | None:
    has = {path.name.lower() for path in data.iterdir() if path.is_dir()}
    if {'leftimg8bit', 'gtfine'} <= has and find_files(
        data / 'gtFine', '_polygons.json'
    ):
        return Recognised('cityscapes', data, "Cityscapes' layout, with polygons")
    if {'jpegimages', 'segmentationclass'} <= has:
        known = find_names(data)
        masks = data / 'SegmentationClass'
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
        named = {'classes': known.classes} if known else {}
        if not known and not given.get('classes'):
            ask(
                "Are the classes Pascal VOC's own 21, aeroplane, bicycle and so on?",
                {'yes': 'they are; for others give --classes'},
                '--classes NAMES, or --format voc for its own',
            )
        return Recognised('voc', data, "Pascal VOC's layout", named)
    return None


def _coco(data: Path) -> Recognised | None:
    found = find_jsons(data)
    if not found:
        return None
    parts = sorted({part for _, part, _ in found if part})
    listed = f', with the parts {", ".join(parts)}' if parts else ''
    said = f"{len(found)} JSON {'file' if len(found) == 1 else 'files'} of COCO's form"
    return Recognised('coco', data, said + listed, {'jsons': found})


def _cvat(data: Path) -> Recognised | None:
    files = find_files(data, cvat.NAME)
    return Recognised('cvat', data, "CVAT's XML for images") if files else None


def _label_studio(data: Path) -> Recognised | None:
    files, masks = find_tasks(data), find_brushes(data)
    if not (files or masks):
        return None
    said = [f'{len(files)} JSON {"file" if len(files) == 1 else "files"} of tasks']
    said += [f'{len(masks)} brush masks'] if masks else []
    return Recognised('label_studio', data, f"Label Studio's, {' and '.join(said)}")


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
