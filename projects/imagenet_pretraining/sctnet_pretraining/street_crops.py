"""Crops of synthetic street scenes, each in the folder of what covers most of it."""

import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from sctnet.datasets.street_scenes import render_street_scene
from sctnet.errors import OutputError
from sctnet.files import write_bytes

# Cityscapes train ids.
CLASSES = {
    'road': (0,),
    'sidewalk': (1,),
    'building': (2,),
    'barrier': (3, 4),
    'vegetation': (8, 9),
    'sky': (10,),
    'person': (11, 12),
    'vehicle': (13, 14, 15, 16, 17, 18),
}
SIZE = (512, 256)  # of a scene, width and height
SIDES = (32, 128)  # of a crop, smallest and largest
SHARE = 0.3  # of a crop that its class must cover, and be the largest
TRIES = 12  # crops of each class that are looked at in a scene


def write_street_crops(
    out_dir: str | os.PathLike, scenes: Mapping[str, int], seed: int = 0
) -> str:
    """Write ``OUT/{train,val}/CLASS/NAME.jpg``.

    Args:
        out_dir: a folder that is new or empty.
        scenes: how many scenes to draw for each part; another seed, other scenes.
        seed: of the scenes and crops.

    Returns:
        One line that says what was written.

    Raises:
        OutputError: the folder holds files already, or cannot be written.
    """
    root = Path(out_dir)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise OutputError(f"'{root}' is not empty: name a new folder")
    written = 0
    for part, (name, count) in enumerate(scenes.items()):
        for number in range(count):
            rng = np.random.default_rng([seed, part, number])
            image, labels = render_street_scene(int(rng.integers(2**31)), *SIZE)
            for kind in CLASSES:
                crop = _find_crop(rng, image, labels, kind)
                if crop is not None:
                    done, data = cv2.imencode('.jpg', crop)
                    assert done
                    path = root / name / kind / f'{number:06d}.jpg'
                    write_bytes(path, data.tobytes())
                    written += 1
    return f"wrote {written} crops of {len(CLASSES)} classes to '{root}'"


def _find_crop(
    rng: np.random.Generator, image: np.ndarray, labels: np.ndarray, kind: str
) -> np.ndarray | None:
    """A square crop that ``kind`` covers most of, if one is met."""
    rows, columns = np.nonzero(np.isin(labels, CLASSES[kind]))
    if not len(rows):
        return None
    for _ in range(TRIES):
        side = int(SIDES[0] * (SIDES[1] / SIDES[0]) ** rng.uniform())
        centre = rng.integers(len(rows))
        top = int(np.clip(rows[centre] - side // 2, 0, SIZE[1] - side))
        left = int(np.clip(columns[centre] - side // 2, 0, SIZE[0] - side))
        inside = labels[top : top + side, left : left + side]
        shares = {name: np.isin(inside, ids).mean() for name, ids in CLASSES.items()}
        if shares[kind] >= SHARE and shares[kind] == max(shares.values()):
            return image[top : top + side, left : left + side]
    return None
