"""The colours of a label map over its image."""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

from ..errors import ArgumentError


def draw_overlay(
    image: np.ndarray,
    label_map: np.ndarray,
    palette: Sequence[Sequence[int]] | np.ndarray,
    opacity: float = 0.5,
) -> np.ndarray:
    """Blend the colours of ``label_map`` (H, W) over a BGR image (H, W, 3).

    Args:
        image: BGR uint8.
        label_map: class indices; those without a colour leave the image as it is.
        palette: RGB of each class.
        opacity: share of the colours, 0 to 1.

    Returns:
        BGR uint8 (H, W, 3).

    Raises:
        ArgumentError: ``opacity`` is out of range.
    """
    check_opacity(opacity)
    colours = np.asarray(palette, np.uint8).reshape(-1, 3)[:, ::-1]
    unknown = (label_map < 0) | (label_map >= len(colours))
    if len(colours) <= 256:
        table = np.zeros((256, 1, 3), np.uint8)
        table[: len(colours), 0] = colours
        # Labels that wrap around here are unknown ones.
        painted = cv2.applyColorMap(label_map.astype(np.uint8, copy=False), table)
    else:
        painted = np.take(colours, label_map, axis=0, mode='clip')
    blended = cv2.addWeighted(image, 1 - opacity, painted, opacity, 0)
    return cv2.copyTo(image, unknown.view(np.uint8), blended)


def check_opacity(opacity: float) -> None:
    """Raise an ArgumentError unless ``opacity`` is from 0 to 1."""
    if not 0 <= opacity <= 1:
        raise ArgumentError(f'opacity is {opacity}: expected 0 to 1, such as 0.5')


def distinct_colours(count: int) -> list[list[int]]:
    """Return ``count`` RGB colours, neighbours in the list far apart in hue."""
    golden = 0.618034
    colours = []
    for i in range(count):
        shade = (0.95, 0.7, 0.5)[i % 3]
        rgb = colorsys.hsv_to_rgb((0.58 + i * golden) % 1, 0.75, shade)
        colours.append([round(255 * value) for value in rgb])
    return colours
