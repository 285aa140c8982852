"""Drawing a picture and its label map together, from the same polygons.

Length unit: metres.  World axes: x right, y up, z ahead of the camera; the ground is
y = 0.  Street coordinate u is the distance to the right of the (bent) street axis.
Colours are BGR in 0..255.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = Sequence[float] | NDArray[np.floating]

NEAR = 0.6  # metres; nothing is drawn closer to the camera
SUBPIXEL = 4  # bits of the fraction that OpenCV's drawing calls take


@dataclass(frozen=True)
class Camera:
    """Pinhole camera that looks along z; the horizon row stands in for its pitch."""

    width: int
    height: int
    focal: float  # pixels
    centre: float  # column of the vanishing point
    horizon: float  # row
    eye: float  # metres above the ground
    bend: float  # curvature of the street, 1 / metres

    def x_at(self, u: float, z: float) -> float:
        """World x of street coordinate u at distance z."""
        return u + 0.5 * self.bend * z * z

    def heading_at(self, z: float) -> float:
        """Angle of the street axis against z, radians."""
        return float(np.arctan(self.bend * z))

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """(N, 3) world points with z > 0 to (N, 2) columns and rows."""
        p = np.asarray(points, dtype=np.float64)
        scale = self.focal / np.maximum(p[:, 2], 1e-3)
        spot = np.empty((len(p), 2))
        spot[:, 0] = self.centre + scale * p[:, 0]
        spot[:, 1] = self.horizon + scale * (self.eye - p[:, 1])
        return spot


@dataclass(frozen=True)
class Light:
    """Sun, sky light and haze of one scene."""

    sun: NDArray[np.float64]  # unit vector towards the sun
    direct: float  # share of direct sun light, 0 when overcast
    ambient: float
    haze: NDArray[np.float64]  # BGR
    reach: float  # metres after which haze has taken 63 %

    def shade(self, normal: Colour | None = None) -> float:
        """Brightness of a surface; without a normal that of a rounded thing."""
        if normal is None:
            return self.ambient + 0.5 * self.direct
        x, y, z = normal
        sx, sy, sz = self.sun
        cosine = (x * sx + y * sy + z * sz) / max(math.hypot(x, y, z), 1e-9)
        return self.ambient + self.direct * max(float(cosine), 0.0)

    def veil(self, depth: ArrayLike) -> NDArray[np.float64]:
        """Share of haze at a distance in metres, 0..1."""
        return 1.0 - np.exp(-np.asarray(depth, dtype=np.float64) / self.reach)

    def seen(self, colour: Colour, depth: float) -> list[float]:
        """A colour as it looks through the haze at a distance in metres."""
        t = 1.0 - math.exp(-depth / self.reach)
        pairs = zip(colour, self.haze.tolist(), strict=True)
        return [min(max(float(c) * (1 - t) + h * t, 0.0), 255.0) for c, h in pairs]


class Canvas:
    """BGR image (H, W, 3) and train-id map (H, W), both uint8, drawn back to front."""

    def __init__(self, camera: Camera, light: Light) -> None:
        self.camera = camera
        self.light = light
        h, w = camera.height, camera.width
        self.image = np.zeros((h, w, 3), np.uint8)
        self.label = np.full((h, w), 10, np.uint8)

    def polygon(
        self,
        points: ArrayLike,
        colour: Colour,
        label: int | None = None,
        depth: float = 0.0,
    ) -> None:
        """Fill an image-space polygon (N, 2); without a label the one below stays."""
        scaled = np.round(np.asarray(points, np.float64) * 2**SUBPIXEL)
        outline = [np.clip(scaled, -(2**22), 2**22).astype(np.int32)]
        seen = self.light.seen(colour, depth)
        cv2.fillPoly(self.image, outline, seen, cv2.LINE_AA, SUBPIXEL)
        if label is not None:
            cv2.fillPoly(self.label, outline, label, cv2.LINE_8, SUBPIXEL)

    def stroke(
        self,
        points: ArrayLike,
        thickness: float,
        colour: Colour,
        label: int | None = None,
        depth: float = 0.0,
    ) -> None:
        """Draw an open image-space line (N, 2), `thickness` >= 1 pixels wide."""
        scaled = np.round(np.asarray(points, np.float64) * 2**SUBPIXEL)
        line = [np.clip(scaled, -(2**22), 2**22).astype(np.int32)]
        wide = max(1, round(thickness))
        seen = self.light.seen(colour, depth)
        args = (wide, cv2.LINE_AA, SUBPIXEL)
        cv2.polylines(self.image, line, False, seen, *args)
        if label is not None:
            args = (wide, cv2.LINE_8, SUBPIXEL)
            cv2.polylines(self.label, line, False, label, *args)

    def face(self, points: ArrayLike, colour: Colour, label: int | None = None) -> None:
        """Fill a polygon of world points (N, 3)."""
        p = np.asarray(points, np.float64)
        if p[:, 2].min() > NEAR:
            depth = float(p[:, 2].mean())
            self.polygon(self.camera.project(p), colour, label, depth)

    def _window(self, spot: NDArray[np.float64]) -> tuple[int, int, int, int] | None:
        """Pixel box x0, y0, x1, y1 around points (N, 2), None where out of sight."""
        x0, y0 = np.floor(np.maximum(spot.min(axis=0) - 1, 0)).astype(int)
        limit = (self.camera.width, self.camera.height)
        x1, y1 = np.ceil(np.minimum(spot.max(axis=0) + 2, limit)).astype(int)
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    def _blend(
        self,
        box: tuple[int, int, int, int],
        paint: NDArray,
        cover: NDArray,
    ) -> None:
        """Mix a picture (h, w, 3) into a pixel box by its coverage (h, w), uint8."""
        x0, y0, x1, y1 = box
        weight = cover.astype(np.float32) / 255
        below = np.ascontiguousarray(self.image[y0:y1, x0:x1])
        mixed = cv2.blendLinear(below, paint, 1 - weight, weight)
        self.image[y0:y1, x0:x1] = mixed

    def wall(
        self, corners: ArrayLike, texture: NDArray[np.uint8], label: int | None
    ) -> None:
        """Lay a texture (h, w, 3 or 4) on an upright quad (4, 3).

        Corner order: top left, top right, bottom right, bottom left of the texture.
        A fourth channel is the coverage; the label always fills the whole quad.
        """
        world = np.asarray(corners, np.float64)
        spot = self.camera.project(world)
        box = self._window(spot)
        if box is None or world[:, 2].min() <= NEAR:
            return
        x0, y0, x1, y1 = box
        size = (int(x1 - x0), int(y1 - y0))
        h, w = texture.shape[:2]
        source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32) - 0.5
        target = (spot - (x0, y0)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(source, target)
        paint = cv2.warpPerspective(
            texture, matrix, size, borderMode=cv2.BORDER_REPLICATE
        )
        # On an upright plane 1 / z is linear in the column.
        span = spot[1, 0] - spot[0, 0]
        t = (np.arange(x0, x1) - spot[0, 0]) / (span if abs(span) > 1e-6 else 1e-6)
        inverse = (1 - t) / world[0, 2] + t / world[1, 2]
        veil = self.light.veil(1 / np.maximum(inverse, 1e-3))[None, :, None]
        tint = paint[..., :3] * (1 - veil).astype(np.float32)
        tint += (veil * self.light.haze).astype(np.float32)
        cover: NDArray = np.zeros(size[::-1], np.uint8)
        outline = [np.round((spot - (x0, y0)) * 2**SUBPIXEL).astype(np.int32)]
        cv2.fillPoly(cover, outline, 255, cv2.LINE_AA, SUBPIXEL)
        if paint.shape[2] == 4:
            cover = cv2.multiply(cover, paint[..., 3], scale=1 / 255)
        self._blend(box, np.clip(tint, 0, 255).astype(np.uint8), cover)
        if label is not None:
            part = np.ascontiguousarray(self.label[y0:y1, x0:x1])
            cv2.fillPoly(part, outline, label, cv2.LINE_8, SUBPIXEL)
            self.label[y0:y1, x0:x1] = part

    def sprite(
        self, sprite: NDArray[np.uint8], box: ArrayLike, label: int, depth: float
    ) -> None:
        """Paste a sprite (h, w, 4) into an image-space box x0, y0, x1, y1."""
        x0, y0, x1, y1 = (float(v) for v in np.asarray(box))
        window = self._window(np.array([[x0, y0], [x1, y1]]))
        if window is None or x1 - x0 < 1 or y1 - y0 < 1:
            return
        left, top, right, bottom = window
        h, w = sprite.shape[:2]
        sx, sy = (x1 - x0) / w, (y1 - y0) / h
        small: NDArray = sprite
        if max(sx, sy) < 0.7:  # shrink by area first, or leaves turn into sparkle
            size = (max(2, round(w * sx)), max(2, round(h * sy)))
            small = cv2.resize(sprite, size, interpolation=cv2.INTER_AREA)
            sx, sy = (x1 - x0) / size[0], (y1 - y0) / size[1]
        matrix = np.array([[sx, 0, x0 - left], [0, sy, y0 - top]])
        paint = cv2.warpAffine(small, matrix, (int(right - left), int(bottom - top)))
        t = float(self.light.veil(depth))
        tint = cv2.addWeighted(paint[..., :3], 1 - t, paint[..., :3], 0, 0)
        tint = cv2.add(tint, np.array([*self.light.haze * t, 0.0]))
        self._blend(window, tint, np.ascontiguousarray(paint[..., 3]))
        self.label[top:bottom, left:right][paint[..., 3] > 127] = label
