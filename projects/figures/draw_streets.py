"""Draw synthetic street scenes above their ground-truth labels to streets.jpg."""

from pathlib import Path

import cv2
import numpy as np

from sctnet.datasets.overlay import draw_overlay
from sctnet.datasets.street_scenes import render_street_scene

SEEDS = (3, 16, 28)
TILE = (528, 264)  # width and height of one picture
GAP = 8  # white pixels between pictures


def join(pictures: list[np.ndarray], axis: int) -> np.ndarray:
    """Put BGR pictures beside (axis 1) or below (axis 0) each other."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)]
    return np.concatenate(parts[1:], axis=axis)


def main() -> None:
    """Render the scenes at twice their size, shrink and write the strip."""
    from mmseg.utils import get_palette  # finds mmcv-lite only after `import sctnet`

    palette = get_palette('cityscapes')
    columns = []
    for seed in SEEDS:
        image, label = render_street_scene(seed, TILE[0] * 2, TILE[1] * 2)
        pair = [image, draw_overlay(image, label, palette, opacity=0.7)]
        small = [cv2.resize(p, TILE, interpolation=cv2.INTER_AREA) for p in pair]
        columns.append(join(small, axis=0))
    path = Path(__file__).with_name('streets.jpg')
    _, data = cv2.imencode('.jpg', join(columns, 1), [cv2.IMWRITE_JPEG_QUALITY, 88])
    path.write_bytes(data.tobytes())


if __name__ == '__main__':
    main()
