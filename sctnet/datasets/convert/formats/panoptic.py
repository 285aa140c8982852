"""COCO's panoptic form: a JSON of segments, and a PNG an image that shows their ids.

The id of a pixel is R + 256 G + 65536 B. Where it is 0 nothing is labelled, which
becomes 255. All categories are classes, things and stuff, in the order of their ids.
Crowds are of their category. Of a folder all such JSON files are read; names such as
train and val in their path are the splits.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import DataError
from ..annotated_images import Size, Source
from ..annotation_files import read_colours
from ..class_names import is_palette
from ..coco_json import CocoFile, find_jsons, is_table
from ..coco_masks import Instance
from ..options import IGNORE, of_shapes
from ..recognised import Ask, Recognised
from .coco import describe, list_images

SOURCE = 'JSON file, or folder of them'


def read(source: Path, images: Path | None = None, masks: Path | None = None) -> Source:
    """List the images of one JSON file or of all below a folder; raises DataError."""
    listed = find_jsons(source, True) if source.is_dir() else [(source, None)]
    if not listed:
        raise DataError(
            f"'{source}' has no JSON below it whose annotations have segments_info: "
            'name the file'
        )
    files = [_PanopticFile(*entry, images, masks) for entry in listed]
    found = of_shapes((), IGNORE, 'file', skip_empty=True)
    list_images(files, found, IGNORE)
    found.palette = files[0].palette(found.classes)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for JSON files with segments."""
    return describe('panoptic', data, find_jsons(data, True), "COCO's panoptic form")


class _PanopticFile(CocoFile):
    """One JSON file: each of its segments is a row, with the PNG that shows it."""

    def __init__(
        self, path: Path, part: str | None, images: Path | None, masks: Path | None
    ) -> None:
        super().__init__(path, part, images)
        self.draw = _draw
        if not any('segments_info' in row for row in self.contents['annotations']):
            raise DataError(
                f"'{path}' has no annotation with segments_info: expected COCO's "
                'panoptic form; for shapes take the format "coco"'
            )
        # COCO's own has the JSON's name, Mapillary's PNGs lie beside theirs, and
        # Detectron2 wants the folder beside that of the annotations.
        near = [path.with_suffix(''), path.parent.parent / path.stem, path.parent]
        places = [masks] if masks else [place for place in near if place.is_dir()]
        rows = []
        for entry in self.contents['annotations']:
            name, segments = str(entry.get('file_name')), entry.get('segments_info')
            if not is_table(segments):
                raise DataError(
                    f"'{path}' has an annotation without a list segments_info "
                    f'({name}): export it again'
                )
            found = (place / name for place in places if (place / name).is_file())
            png = next(found, places[0] / name)
            for row in segments:
                shown = png, row['id']
                row = {**row, 'image_id': entry.get('image_id'), 'segmentation': shown}
                rows.append(row)
        self.contents |= {'annotations': rows}

    def palette(self, names: Sequence[str]) -> list[list[int]] | None:
        """Return the colours of the categories, if each has one."""
        rows = self.contents['categories']
        colour_of = {str(row['name']): row.get('color') for row in rows}
        colours: list[Any] = [colour_of.get(name) for name in names]
        return colours if is_palette(colours, len(names)) else None


def _draw(
    segments: Sequence[Instance], file: Path, size: Size, notes: Counter[str]
) -> np.ndarray:
    """Look up the label of each pixel's segment; all are of one PNG."""
    png, _ = segments[0].segmentation
    red, green, blue = np.moveaxis(read_colours(png).astype(np.uint32), -1, 0)
    ids = red | green << 8 | blue << 16
    # The last of a table of labels is to ignore.
    label_of = {0: -1, **{int(one.segmentation[1]): one.label for one in segments}}
    shown, places = np.unique(ids, return_inverse=True)
    unknown = [number for number in shown.tolist() if number not in label_of]
    if unknown:
        raise DataError(
            f"'{png}' shows the segments {unknown[:5]}, which its JSON does not list: "
            'export both again'
        )
    absent = len(label_of.keys() - {0, *shown.tolist()})
    if absent:
        notes['segments without a pixel'] += absent
    labels = np.array([label_of[number] for number in shown.tolist()])
    return labels[places].reshape(ids.shape)
