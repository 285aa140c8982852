"""Outlines of boxes and ellipses, turned too, as COCO's polygons: x, y, x, y, ..."""

import math

import numpy as np

_CORNERS = 72  # of an ellipse


def rectangle(
    left: float, top: float, width: float, height: float, degrees: float = 0
) -> list[float]:
    """Return a rectangle that is turned about its middle, clockwise as it is seen."""
    middle = left + width / 2, top + height / 2
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    return _turned(corners, middle, degrees)


def ellipse(
    x: float, y: float, radius_x: float, radius_y: float, degrees: float = 0
) -> list[float]:
    """Return an ellipse that is turned about its middle (x, y), clockwise."""
    angles = np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * (radius_x, radius_y)
    return _turned(points, (x, y), degrees)


def _turned(
    points: np.ndarray, middle: tuple[float, float], degrees: float
) -> list[float]:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (points @ np.array([(c, s), (-s, c)]) + middle).ravel().tolist()
