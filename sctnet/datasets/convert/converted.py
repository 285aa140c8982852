"""What a conversion made: counted, and written as dataset.json."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...files import write_bytes
from .annotated_images import IGNORED, PARTS, Source
from .write_pair import Written

SUMMARY = 'dataset.json'


@dataclass
class Converted(Source):
    """What a conversion made of a source; ``skipped`` and ``failed`` count all.

    Attributes:
        root: folder of the new data set.
        images: how many are in each part.
        pixels: of each value of the label maps, int64 (256,).
        empty: names of images without annotation, background all over.
        became: new name of each class of the source, None where it was dropped.
    """

    root: Path = Path()
    images: Counter[str] = field(default_factory=Counter)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    empty: list[str] = field(default_factory=list)
    became: dict[str, str | None] = field(default_factory=dict)


def count(result: Converted, written: Sequence[Written | None]) -> None:
    """Add up what was made of each item; None is one that is broken.

    Raises:
        DataError: two images were written to one file, or nothing is left.
    """
    tiles = images = 0
    files: Counter[Path] = Counter()
    for item, one in zip(result.items, written, strict=True):
        if one is None:
            continue
        result.images[str(item.split)] += len(one.files)
        result.pixels += one.pixels
        result.skipped += one.notes
        result.empty += [item.name] if item.empty else []
        files.update(image.with_suffix('') for image, _ in one.files)
        images += one.cut
        tiles += len(one.files) * one.cut
    result.images += Counter()  # drops a zero
    result.empty.sort()
    if images:
        result.said.append(f'cut: {images} images into {tiles} tiles')
    double = next((file for file, times in files.items() if times > 1), None)
    if double is not None:
        raise DataError(f"two images have the name '{double.name}': rename one")
    drawn = result.pixels.copy()
    if result.fill is not None:
        drawn[result.fill] = 0
    if any(item.labels for item in result.items) and not drawn.any():
        reasons = '; '.join(f'{n} {reason}' for reason, n in result.skipped.items())
        raise DataError(
            f'no shape has a pixel in its image ({reasons}): correct the annotation, '
            'or name the folder of the images that were annotated'
        )
    if not result.images:
        raise DataError('all tiles are to ignore alone: correct the annotation')


def write_summary(result: Converted, format_name: str, folder: Path) -> None:
    """Write ``dataset.json`` into ``folder``; raises OutputError."""
    pixels = result.pixels[: len(result.classes)].tolist()
    summary = {
        'format': format_name,
        'classes': result.classes,
        'palette': result.palette,
        'ignore_index': IGNORED,
        'images': {part: result.images[part] for part in PARTS},
        'pixels': dict(zip(result.classes, pixels, strict=True)),
        'ignored_pixels': int(result.pixels[IGNORED]),
        'became': result.became,
        'said': result.said,
        'skipped': dict(sorted(result.skipped.items())),
        'failed': result.failed,
        'empty': result.empty,
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False) + '\n'
    # A name on disk need not be UTF-8; an escape of JSON's stands for such bytes.
    write_bytes(folder / SUMMARY, text.encode(errors='backslashreplace'))
