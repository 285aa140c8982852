"""CVAT for images 1.1: polygons, masks, boxes and ellipses in XML files.

Classes come in the order of the task's labels. Shapes are drawn by CVAT's z-order, then
in the order of the file, or by --order. Polylines, points, cuboids, skeletons and tags
have no area: they are left out and counted. Of a folder all such files are read; names
such as train.xml are the splits.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ....files import find_files
from ..annotated_images import Size, Source
from ..annotation_files import beginning
from ..coco_masks import Instance, check_segmented, item_of
from ..image_files import ImageFinder
from ..options import of_shapes
from ..outlines import ellipse, rectangle
from ..recognised import Ask, Recognised
from ..splits import part_in, part_of, without_part

SOURCE = 'annotations.xml, or a folder that holds it'
Attributes = Mapping[str, str]


def read(
    source: Path,
    images: Path | None = None,
    background: str = 'background',
    order: str = 'file',
    skip_empty: bool = False,
) -> Source:
    """List the images of the files; raises ArgumentError, DataError.

    Subsets of usual names (``Train``, ``Validation``, ...) and such folders are the
    splits.
    """
    require('pycocotools')
    files = _find_xmls(source) if source.is_dir() else [source]
    roots = {file: _parse_xml(file) for file in files}
    if not roots:
        raise DataError(
            f"'{source}' has no XML of CVAT's below it: name the file, or export as "
            '"CVAT for images 1.1"'
        )
    listed = {
        label.findtext('name') or '': _colour(label.findtext('color'))
        for root in roots.values()
        for label in root.findall('meta/*/labels/label')
    }
    found = of_shapes([*listed], background, order, skip_empty)
    colours = [{background: [0, 0, 0], **listed}.get(name) for name in found.classes]
    found.palette = [colour for colour in colours if colour] if all(colours) else None
    for file, root in roots.items():
        part = part_in(file.relative_to(source)) if source.is_dir() else None
        _add_images(found, root, file, images, part)
    check_segmented(found, source)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for XML files of CVAT's; any single XML file may be one."""
    known = _find_xmls(data) if data.is_dir() else data.suffix.lower() == '.xml'
    return Recognised('cvat', data, "CVAT's XML for images") if known else None


def _find_xmls(folder: Path) -> list[Path]:
    """Return the XML files below a folder that begin as CVAT's do."""
    files = find_files(folder, '.xml')
    return [f for f in files if re.search(rb'<annotations[\s>]', beginning(f))]


def _colour(text: str | None) -> list[int] | None:
    """Turn ``#33ddff`` into numbers."""
    match = re.fullmatch('#([0-9a-fA-F]{6})', text or '')
    return list(bytes.fromhex(match[1])) if match else None


class _Builder(ElementTree.TreeBuilder):
    """Refuses definitions, whose expansion could fill the memory."""

    def doctype(self, name: str, public: str | None, system: str | None) -> NoReturn:
        """Refuse; raises DataError."""
        raise DataError(
            'it has a DOCTYPE, which CVAT writes into no file: export it again'
        )


def _parse_xml(file: Path) -> ElementTree.Element:
    """Read an XML of CVAT's for images; raises DataError."""
    try:
        parser = ElementTree.XMLParser(target=_Builder())
        root = ElementTree.parse(file, parser).getroot()
    except DataError as error:
        raise DataError(f"'{file}' is not read, as {error}") from error
    except OSError as error:
        raise DataError(
            f"'{file}' cannot be read ({error.strerror}): check the path"
        ) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(
            f"'{file}' is no XML, or is cut off ({error}): export it again"
        ) from error
    if root.tag != 'annotations' or root.find('track') is not None:
        what = "CVAT's for videos" if root.tag == 'annotations' else f'a {root.tag!r}'
        raise DataError(f'\'{file}\' is {what}: export it as "CVAT for images 1.1"')
    return root


def _add_images(
    found: Source,
    root: ElementTree.Element,
    file: Path,
    images: Path | None,
    whole: str | None,
) -> None:
    """Add the images of one file to ``found``; ``whole`` is the part of all."""
    entries = root.findall('image')
    finders: dict[str, ImageFinder] = {}
    above = file.parent
    for entry in entries:
        name, subset = entry.get('name', ''), entry.get('subset', '')
        if subset not in finders:
            near = [images] if images else [above / 'images', above]
            same = [e.get('name', '') for e in entries if e.get('subset', '') == subset]
            finders[subset] = ImageFinder([near[0] / subset, *near], same)
        instances = _instances(entry, found)
        image = finders[subset].find(name, found.skipped)
        part, rest = without_part(Path(name.replace('\\', '/')))
        try:
            part = part_of(subset) or part or whole
            stated = entry.get('height'), entry.get('width')
            found.items.append(item_of(rest, part, image, instances, file, stated))
        except DataError as error:
            found.failed.append(f"'{file}': {error}")


def _instances(entry: ElementTree.Element, found: Source) -> list[Instance]:
    """Return the shapes of an image that have an area, by their z-order."""
    kept = []
    for place, shape in enumerate(entry, 1):
        label = shape.get('label')
        if shape.tag not in _COVERS:
            found.skipped[f'shapes of kind {shape.tag}'] += 1
        elif label not in found.classes:
            found.skipped[f"shapes of a label that the task lacks ('{label}')"] += 1
        else:
            kept.append((shape, place))
    kept.sort(key=lambda one: _z_order(one[0].attrib))
    where = f'of the image {entry.get("name")!r}'
    return [
        Instance(
            found.classes.index(shape.get('label', '')),
            partial(_COVERS[shape.tag], shape.attrib),
            f'{shape.tag} {place} {where}',
        )
        for shape, place in kept
    ]


def _z_order(shape: Attributes) -> int:
    text = shape.get('z_order', '0')
    return int(text) if text.lstrip('-').isdigit() else 0


def _polygon(shape: Attributes, size: Size) -> list[list[str]]:
    points = [pair.split(',') for pair in shape['points'].split(';')]
    return [[number for point in points for number in point]]


def _box(shape: Attributes, size: Size) -> list[list[float]]:
    left, top, right, bottom = (float(shape[k]) for k in ('xtl', 'ytl', 'xbr', 'ybr'))
    turn = float(shape.get('rotation', 0))
    return [rectangle(left, top, right - left, bottom - top, turn)]


def _ellipse(shape: Attributes, size: Size) -> list[list[float]]:
    x, y, radius_x, radius_y = (float(shape[k]) for k in ('cx', 'cy', 'rx', 'ry'))
    return [ellipse(x, y, radius_x, radius_y, float(shape.get('rotation', 0)))]


def _mask(shape: Attributes, size: Size) -> np.ndarray:
    """Decode the lengths of runs along the rows of a box, the first of what is not."""
    left, top = int(shape['left']), int(shape['top'])
    width, height = int(shape['width']), int(shape['height'])
    if min(left, top) < 0 or left + width > size[1] or top + height > size[0]:
        raise DataError(
            f'it covers columns {left} to {left + width} and rows {top} to '
            f'{top + height} of an image of {size[1]}x{size[0]}: use the image that '
            'was labelled'
        )
    runs = [int(run) for run in shape['rle'].split(',')]
    if sum(runs) != width * height or min(runs) < 0:
        raise DataError(
            f'its runs cover {sum(runs)} pixels of {width * height}: export it again'
        )
    covered = np.zeros(size, bool)
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    covered[top : top + height, left : left + width] = inside.reshape(height, width)
    return covered


_COVERS = {'polygon': _polygon, 'mask': _mask, 'box': _box, 'ellipse': _ellipse}
