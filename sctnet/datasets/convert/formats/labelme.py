"""labelme's JSON files: one an image, with polygons, rectangles, circles and masks.

Later shapes lie over earlier ones, as in labelme, or by --order. Its ``__ignore__``
becomes 255, its ``_background_`` the background. Lines and points have no area. They
are left out and counted. The labelme package wants a Qt to draw shapes, so they are
drawn here, with Pillow's functions that labelme itself uses.
"""

import base64
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ....errors import DataError
from ....files import find_files, write_bytes
from ...images import SUFFIXES, decode_image, read_header
from ..annotated_images import ImageFile, Item, Noted, Shape, Size, Source, naming
from ..annotation_files import as_points, keys_in, read_json
from ..image_files import ImageFinder
from ..options import of_shapes, with_background
from ..recognised import Ask, Recognised, json_files
from ..splits import split_by_folder

_KEYS = 'shapes', 'imagePath'  # of every file
_SAMPLE = 64  # JSON files that are looked at
SOURCE = 'folder of JSON files'
LEAST_POINTS = {  # those drawn
    **{'polygon': 3, 'rectangle': 2, 'circle': 2, 'mask': 2},
    **{'oriented_rectangle': 4, 'rotation': 4},  # labelme 6's and AnyLabeling's
}


def read(
    source: Path,
    background: str = 'background',
    order: str = 'file',
    skip_empty: bool = False,
) -> Source:
    """List the annotated images of a folder and those below it; raises DataError.

    Folders of usual names (``train``, ``valid``, ...) are the splits.
    """
    found = of_shapes((), background, order, skip_empty)
    found.open = True
    files = find_files(source, ('.json',))
    annotated: list[tuple[Path, str | None, str, dict]] = []
    for file, split, name in split_by_folder(source, files, found.skipped):
        try:
            annotated.append((file, split, name, _load(file)))
        except DataError as error:
            found.failed.append(str(error))
    found.classes, fill = with_background(_names(annotated), background)
    labels = {name: index for index, name in enumerate(found.classes)}
    # The last of a table, whatever there is before it, is to ignore.
    labels = {'__ignore__': -1, '_background_': fill, **labels}
    named = (os.path.abspath(_named(f, c)) for f, *_, c in annotated)
    finder = ImageFinder([source], named)
    for file, split, name, contents in annotated:
        shapes = _shapes(contents, labels, found.skipped)
        stated = contents.get('imageHeight'), contents.get('imageWidth')
        image = _image(file, contents, finder, found.skipped)
        kinds = frozenset(label for label, *_ in shapes)
        draw = partial(_draw, file, shapes)
        found.items.append(Item(name, split, image, draw, labels=kinds, stated=stated))
    jsons = {file.with_suffix('') for file in files}
    for other in find_files(source, SUFFIXES):
        if other.with_suffix('') not in jsons:
            found.leave_out('images without a JSON file', other)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for labelme's keys in some of the JSON files of a folder."""
    files = find_files(data, '.json') if data.is_dir() else []
    if not any(len(keys_in(file, *_KEYS)) == 2 for file in files[:_SAMPLE]):
        return None
    return Recognised('labelme', data, f"{json_files(len(files))} of labelme's form")


def _load(file: Path) -> dict[str, Any]:
    contents = read_json(file)
    shapes = contents.get('shapes')
    if not isinstance(shapes, list) or not all(
        isinstance(shape, dict) and isinstance(shape.get('label'), str)
        for shape in shapes
    ):
        raise DataError(
            f"'{file}' has no list 'shapes' with a label each: expected a file that "
            'labelme saved; save it again, or move it elsewhere'
        )
    # The image itself is large; its beginning says what it is.
    contents['imageData'] = str(contents.get('imageData') or '')[:16]
    return contents


def _names(annotated: Sequence[tuple[Path, str | None, str, dict]]) -> list[str]:
    shapes = (shape for *_, contents in annotated for shape in contents['shapes'])
    names = {shape['label'] for shape in shapes if _kind(shape) in LEAST_POINTS}
    return sorted(names - {'__ignore__', '_background_'})


def _kind(shape: dict[str, Any]) -> str:
    return str(shape.get('shape_type') or 'polygon')  # which old files leave out


def _shapes(
    contents: dict[str, Any], labels: dict[str, int], skipped: Counter[str]
) -> list[tuple[int, int, dict]]:
    """Return label, place in the file and content of the shapes that are drawn."""
    kept = []
    for place, shape in enumerate(contents['shapes'], 1):
        kind = _kind(shape)
        if kind not in LEAST_POINTS:
            skipped[f'shapes of kind {kind}'] += 1
        else:
            kept.append((labels[shape['label']], place, shape))
    return kept


def _named(file: Path, contents: dict[str, Any]) -> str:
    name = str(contents.get('imagePath') or '').replace('\\', '/')
    return str(file.parent / (name or file.with_suffix('.jpg').name))


def _image(
    file: Path, contents: dict[str, Any], finder: ImageFinder, notes: Counter[str]
) -> ImageFile:
    """Return the file that the JSON names or, if that is not there, its own copy."""
    written = Path(_named(file, contents))
    beside = file.parent / written.name  # moved, together with its JSON
    for named in (written, beside):
        if named.is_file():
            return ImageFile(named)
    if contents['imageData']:
        suffix = '.png' if contents['imageData'].startswith('iVBOR') else '.jpg'
        return EmbeddedImage(file, suffix)
    image = finder.find(os.path.abspath(beside), notes)
    if image.is_file():
        return ImageFile(image)
    for own in map(file.with_suffix, [*SUFFIXES, *map(str.upper, SUFFIXES)]):
        if own.is_file():  # both were given a new name
            notes[Noted("images of their JSON's name, not of that in it")] += 1
            return ImageFile(own)
    return ImageFile(beside)


def _draw(
    file: Path, shapes: Sequence[tuple[int, int, dict]], size: Size, notes: Counter[str]
) -> list[Shape]:
    """Return the shapes of (label, place in the file, and content) of a JSON."""
    drawn = []
    for label, place, shape in shapes:
        kind = _kind(shape)
        where = f"shape {place} ('{shape['label']}') of '{file}'"
        with naming(where):
            points = as_points(shape.get('points'))
        if len(points) < LEAST_POINTS[kind]:
            notes[f'shapes of kind {kind} with too few points'] += 1
            continue
        cover = partial(_covered, kind, points, shape.get('mask'), size)
        drawn.append(Shape(label, naming(where)(cover)))
    return drawn


def _covered(
    kind: str, points: list[tuple[float, float]], mask: Any, size: Size
) -> np.ndarray:
    """Return which pixels a shape covers, bool (H, W)."""
    canvas = Image.new('L', size[::-1])
    drawer = ImageDraw.Draw(canvas)
    if kind == 'circle':
        (x, y), edge = points[:2]
        r = math.dist((x, y), edge)
        drawer.ellipse((x - r, y - r, x + r, y + r), fill=1, outline=1)
    elif kind == 'mask':
        data = decode_base64(mask, 'a mask')
        on = decode_image(data, 'a mask', cv2.IMREAD_GRAYSCALE) > 0  # saved as 0 and 1
        left, top = points[0]
        canvas.paste(Image.fromarray(on), (round(left), round(top)))
    elif kind == 'rectangle' and len(points) == 2:
        (x0, y0), (x1, y1) = points
        corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        drawer.rectangle(corners, fill=1, outline=1)
    else:
        drawer.polygon(points, fill=1, outline=1)
    return np.asarray(canvas) > 0


@dataclass(frozen=True)
class EmbeddedImage(ImageFile):
    """The copy of an image inside a JSON file, which is read where it is needed.

    Attributes:
        path: of the JSON.
        kind: '.png' or '.jpg', as the image is.
    """

    kind: str

    @property
    def suffix(self) -> str:
        """Of the file to be written."""
        return self.kind

    def size(self) -> Size:
        """Decode the image; raises DataError, ImageError."""
        data = self._data()
        if self.kind == '.jpg' and data[:2] != b'\xff\xd8':
            raise DataError(
                f"the image inside '{self.path}' is neither PNG nor JPEG: put the "
                'image itself beside the file'
            )
        height, width = decode_image(data, f"image inside '{self.path}'").shape[:2]
        return height, width

    def bands(self) -> np.ndarray:
        """Decode the image to (H, W, 3), RGB; raises DataError, ImageError."""
        return decode_image(self._data(), f"image inside '{self.path}'")[..., ::-1]

    def orientation(self) -> int:
        """Return the tag of the camera, 1 to 8."""
        return read_header(self._data())[1]

    def place(self, target: Path, link: bool) -> None:
        """Write the image; there is nothing to link to."""
        write_bytes(target, self._data())

    def _data(self) -> bytes:
        return decode_base64(read_json(self.path).get('imageData'), f"'{self.path}'")


def decode_base64(text: Any, where: str) -> bytes:
    """Decode base64; raises a DataError that names ``where``."""
    try:
        return base64.b64decode(text, validate=False)
    except (TypeError, ValueError) as error:
        problem = f'{where} has pixels that are not in base64 ({error})'
        raise DataError(f'{problem}: save it again in labelme') from error
