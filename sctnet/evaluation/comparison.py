"""Draws an image beside the label maps that several networks give it."""

import os
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ..datasets.overlay import draw_overlay
from ..files import write_bytes


def draw_comparison(
    image: np.ndarray,
    label_maps: Mapping[str, np.ndarray],
    palette: Sequence[Sequence[int]],
    path: str | os.PathLike,
    classes: Sequence[str] = (),
) -> None:
    """Draw an image and the label maps that different sources give it, side by side.

    Args:
        image: BGR uint8 (H, W, 3).
        label_maps: title to label map (H, W); 255 stays black.
        palette: RGB of each class.
        path: where the PNG goes; written whole or not at all.
        classes: names, for a legend of those that are seen.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    black = np.zeros_like(image)
    panels = {'image': image}
    for title, label_map in label_maps.items():
        panels[title] = draw_overlay(black, label_map, palette, opacity=1.0)
    titled = [_with_title(panel, title) for title, panel in panels.items()]
    rows = [titled[i : i + 2] for i in range(0, len(titled), 2)]
    if len(rows[-1]) == 1:
        rows[-1].append(np.full_like(titled[0], 255))
    picture = np.vstack([np.hstack(row) for row in rows])
    seen = set().union(*(np.unique(one).tolist() for one in label_maps.values()))
    # The font has no letters beyond ASCII; the number tells the class.
    named = {f'{n} {x}': palette[n] for n, x in enumerate(classes) if n in seen}
    picture = np.vstack([picture, *_legend(named, picture.shape[1])])
    write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())


def _with_title(panel: np.ndarray, title: str) -> np.ndarray:
    return np.vstack([_bar(panel.shape[1], title, 6), panel])


def _bar(width: int, text: str, left: int) -> np.ndarray:
    bar = np.full((24, width, 3), 255, np.uint8)
    place, black = (left, 17), (0, 0, 0)
    cv2.putText(bar, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, black, 1, cv2.LINE_AA)
    return bar


def _legend(names: Mapping[str, Sequence[int]], width: int) -> list[np.ndarray]:
    """Return a line for each class: its colour, RGB, and its name."""
    lines = [_bar(width, name, 30) for name in names]
    for line, colour in zip(lines, names.values(), strict=True):
        line[4:20, 6:22] = colour[::-1]
    return lines
