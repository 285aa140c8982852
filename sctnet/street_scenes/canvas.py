"""The picture and its label map, drawn together from the same polygons.

Length unit: metres.  World axes: x right, y up, z ahead of the camera; the ground is
y = 0.  Street coordinate u is the distance to the right of the (bent) street axis.
Colours are BGR in 0..255.
"""

from __future__ import annotations

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
        z = np.maximum(p[:, 2], 1e-3)
        column = self.centre + self.focal * p[:, 0] / z
        row = self.horizon + self.focal * (self.eye - p[:, 1]) / z
        return np.stack([column, row], axis=1)


@dataclass(frozen=True)
class Light:
    """Sun, sky light and haze of one scene."""

    sun: NDArray[np.float64]  # unit vector towards the sun
    direct: float  # share of direct sun light, 0 when overcast
    ambient: float
    haze: NDArray[np.float64]  # BGR
    reach: float  # metres after which haze has taken 63 %

    def shade(self, normal: ArrayLike | None = None) -> float:
        """Brightness of a surface; without a normal that of a rounded thing."""
        if normal is None:
            return self.ambient + 0.5 * self.direct
        n = np.asarray(normal, dtype=np.float64)
        cosine = float(n @ self.sun) / max(float(np.linalg.norm(n)), 1e-9)
        return self.ambient + self.direct * max(cosine, 0.0)

    def veil(self, depth: ArrayLike) -> NDArray[np.float64]:
        """Share of haze at a distance in metres, 0..1."""
        return 1.0 - np.exp(-np.asarray(depth, dtype=np.float64) / self.reach)

    def seen(self, colour: Colour, depth: float) -> list[float]:
        """A colour as it looks through the haze at a distance in metres."""
        t = float(self.veil(depth))
        mixed = np.asarray(colour, dtype=np.float64) * (1 - t) + self.haze * t
        return [float(c) for c in np.clip(mixed, 0, 255)]


def noise(
    rng: np.random.Generator, height: int, width: int, cells: float, octaves: int = 4
) -> NDArray[np.float32]:
    """Smooth noise (height, width) of mean 0 and deviation 1, `cells` blobs across."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        across = min(max(2, round(cells * 2**octave)), width)
        down = min(max(2, round(across * height / width)), height)
        coarse = rng.standard_normal((down, across), dtype=np.float32)
        fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        total += fine * 0.55**octave
    return total / (total.std() + 1e-6)


def foliage(
    rng: np.random.Generator, green: Colour, sun_side: float, size: int = 224
) -> NDArray[np.uint8]:
    """A leafy crown as a sprite (size, size, 4): BGR and coverage."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    field = np.zeros((size, size), np.float32)
    light = np.zeros((size, size), np.float32)
    for _ in range(15):
        angle, far = rng.uniform(0, 2 * np.pi), 0.56 * np.sqrt(rng.uniform())
        cx, cy, r = far * np.cos(angle), far * np.sin(angle), rng.uniform(0.25, 0.46)
        blob = 1 - ((x - cx) ** 2 + (y - cy) ** 2) / r**2
        lit = 0.5 + 0.35 * ((cy - y) + sun_side * (x - cx)) / r
        light = np.where(blob > field, lit, light)
        field = np.maximum(field, blob)
    clumps = noise(rng, size, size, 11, 4)
    leaves = rng.standard_normal((size // 2, size // 2), dtype=np.float32)
    leaves = cv2.resize(leaves, (size, size), interpolation=cv2.INTER_LINEAR)
    cover = np.clip((field + 0.11 * clumps + 0.05 * leaves - 0.12) * 9, 0, 1)
    tone = 0.62 + 0.42 * light - 0.16 * y + 0.10 * clumps + 0.13 * leaves
    tone *= 0.72 + 0.28 * np.sqrt(np.clip(field, 0, 1))
    sprite = np.empty((size, size, 4), np.uint8)
    body = tone[..., None] * np.asarray(green, np.float32)
    sprite[..., :3] = np.clip(body, 0, 255).astype(np.uint8)
    sprite[..., 3] = (cover * 255).astype(np.uint8)
    return sprite


class Canvas:
    """BGR image (H, W, 3) and train-id map (H, W), both uint8, drawn back to front."""

    def __init__(self, camera: Camera, light: Light) -> None:
        self.camera = camera
        self.light = light
        self.image = np.zeros((camera.height, camera.width, 3), np.uint8)
        self.label = np.full((camera.height, camera.width), 10, np.uint8)

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
        """Draw an open image-space line (N, 2), `thickness` pixels wide (at least 1)."""
        scaled = np.round(np.asarray(points, np.float64) * 2**SUBPIXEL)
        line = [np.clip(scaled, -(2**22), 2**22).astype(np.int32)]
        wide = max(1, round(thickness))
        seen = self.light.seen(colour, depth)
        cv2.polylines(self.image, line, False, seen, wide, cv2.LINE_AA, SUBPIXEL)
        if label is not None:
            cv2.polylines(self.label, line, False, label, wide, cv2.LINE_8, SUBPIXEL)

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
        paint: NDArray[np.uint8],
        cover: NDArray[np.uint8],
    ) -> None:
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
        mode = {'flags': cv2.INTER_LINEAR, 'borderMode': cv2.BORDER_REPLICATE}
        paint = cv2.warpPerspective(texture, matrix, size, **mode)
        # On an upright plane 1 / z is linear in the column.
        span = spot[1, 0] - spot[0, 0]
        t = (np.arange(x0, x1) - spot[0, 0]) / (span if abs(span) > 1e-6 else 1e-6)
        inverse = (1 - t) / world[0, 2] + t / world[1, 2]
        veil = self.light.veil(1 / np.maximum(inverse, 1e-3))[None, :, None]
        tint = paint[..., :3] * (1 - veil).astype(np.float32)
        tint += (veil * self.light.haze).astype(np.float32)
        cover = np.zeros(size[::-1], np.uint8)
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
        small = sprite
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
