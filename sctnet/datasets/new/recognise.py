"""What a folder or an export is taken for, and how that reads in a sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import find_files
from ..convert.annotation_files import read_any_json
from ..convert.class_names import COLOUR_FILES, find_names
from ..convert.coco_json import Found, find_jsons, is_panoptic
from ..convert.formats import cvat
from ..convert.formats.cityscapes import find_labels
from ..convert.formats.label_studio import find_brushes, find_tasks
from ..convert.formats.mvtec import find_categories
from ..convert.formats.run_lengths import find_csvs
from ..convert.formats.vistas import find_configs, is_config
from ..convert.formats.yolo import find_listing, is_outlined
from ..convert.label_studio_tasks import is_tasks
from ..convert.pairing import find_pairs
from .recognise_masks import are_coloured, recognise_masks
from .recognised import Ask, Recognised

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
    if masks is not None:
        return recognise_masks(data, ask, masks, given)
    found = _own_layout(data) or _published(data, ask, given)
    if found is not None:
        return found
    readings = {one.format_name: one for one in _annotations(data, ask)}
    # The PNGs of panoptic segments look like masks.
    if readings and not {'panoptic', 'label_studio'} & {*readings} and _has_masks(data):
        readings['masks'] = Recognised('masks', data, 'images with masks')
    if len(readings) > 1:
        choices = {str(name): one.said for name, one in readings.items()}
        option = f'--format {" or ".join(name for name in choices if name != "masks")}'
        option += ', or --masks FOLDER' if 'masks' in choices else ''
        chosen = ask(f"What of '{data}' is meant?", choices, option)
        readings = {chosen: readings[chosen]}
    if not readings and is_outlined(data) and not _has_masks(data):
        return Recognised('yolo', data, "YOLO's text files")  # which lack a list
    if not readings or 'masks' in readings:
        return recognise_masks(data, ask, None, given)
    return next(iter(readings.values()))


def _file(data: Path) -> Recognised:
    suffix = data.suffix.lower()
    if suffix == '.csv':
        return Recognised('run_lengths', data, 'a CSV of run lengths')
    if suffix in ('.yaml', '.yml'):
        return Recognised('yolo', data, "YOLO's outlines")
    if suffix == '.xml':
        return Recognised('cvat', data, "an XML file of CVAT's for images")
    if suffix != '.json':
        raise DataError(
            f"'{data}' is a single file and no JSON, XML, CSV or data.yaml: name the "
            'folder of the data set, unpacked if it is an archive'
        )
    if is_config(data):
        return Recognised('vistas', data, "Mapillary Vistas' layout")
    content = read_any_json(data)
    if is_tasks(content):
        return Recognised('label_studio', data, "a JSON file of Label Studio's")
    if isinstance(content, dict) and is_panoptic(content):
        return Recognised('panoptic', data, "a JSON file of COCO's panoptic form")
    return Recognised('coco', data, "a JSON file of COCO's form")


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


def _published(data: Path, ask: Ask, given: Mapping[str, Any]) -> Recognised | None:
    has = {path.name.lower() for path in data.iterdir() if path.is_dir()}
    if {'leftimg8bit', 'gtfine'} <= has:
        labels, ending = find_labels(data / 'gtFine')
        if labels:
            said = f"Cityscapes' layout, with its *{ending}"
            return Recognised('cityscapes', data, said)
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
    configs = find_configs(data) if 'training' in has else []
    if configs:
        names = {path.name: "the labels' version" for path in configs}
        version = configs[0].name
        if len(configs) > 1:
            question = f"Which labels of '{data}' are meant?"
            version = ask(question, names, f"{data / version} in the folder's place")
        said = f"Mapillary Vistas' layout, with the labels of '{version}'"
        return Recognised('vistas', data / version, said)
    categories = find_categories(data)
    if categories:
        said = f"MVTec AD's layout, {len(categories)} categories, all parts shared anew"
        return Recognised('mvtec', data, said)
    return None


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


def _annotations(data: Path, ask: Ask) -> list[Recognised]:
    """Return what files of annotations a folder has, of each form once."""
    shapes, segments = find_jsons(data)
    found = [
        Recognised(name, data, _counted(listed, form), {'jsons': listed})
        for name, listed, form in (
            ('coco', shapes, "COCO's form"),
            ('panoptic', segments, "COCO's panoptic form"),
        )
        if listed
    ]
    if find_listing(data) and is_outlined(data):
        found.append(Recognised('yolo', data, "YOLO's text files"))
    csvs = {path.name: path for path in find_csvs(data)}
    if csvs:
        chosen = next(iter(csvs))
        if len(csvs) > 1:
            names = dict.fromkeys(csvs, 'run lengths')
            option = f"{data / chosen} in the folder's place"
            chosen = ask(f"Which CSV of '{data}' is meant?", names, option)
        said = f"run lengths in '{chosen}'"
        found.append(Recognised('run_lengths', csvs[chosen], said))
    others = _cvat(data), _label_studio(data), _labelme(data)
    return found + [one for one in others if one]


def _counted(listed: list[Found], form: str) -> str:
    parts = sorted({part for _, part, _ in listed if part})
    said = f'{len(listed)} JSON {"file" if len(listed) == 1 else "files"} of {form}'
    return said + (f', with the parts {", ".join(parts)}' if parts else '')


def _labelme(data: Path) -> Recognised | None:
    files = find_files(data, ('.json',))
    shaped = 0
    for file in files[:SAMPLE]:
        try:
            content = read_any_json(file, marks=('shapes',))
        except DataError:
            continue
        shaped += isinstance(content, dict) and isinstance(content.get('shapes'), list)
    if not shaped:
        return None
    return Recognised('labelme', data, f"{len(files)} JSON files of labelme's form")
