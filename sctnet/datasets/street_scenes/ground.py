"""Drawing the ground: every pixel is traced back to the street."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import SUBPIXEL, Canvas
from .texture import noise

ROAD, WALK, TERRAIN = 0, 1, 9
Floats = NDArray[np.float32]


@dataclass
class Street:
    """Layout in street coordinates, metres; the camera stands at u = 0, z = 0."""

    left: float  # u of the left kerb
    right: float
    verge: tuple[float, float]  # width of the planted strip behind either kerb
    walk: tuple[float, float]  # width from kerb to house front on either side
    dashes: list[float] = field(default_factory=list)
    solids: list[float] = field(default_factory=list)
    median: tuple[float, float] | None = None
    rails: float | None = None  # u of the middle of a tram track
    crossing: float | None = None  # z of a zebra crossing
    arms: list[tuple[int, float, float]] = field(default_factory=list)  # side, z0, z1
    parks: list[tuple[int, float, float]] = field(default_factory=list)
    flags: float = 0.5  # size of the paving stones


class Ground:
    """Shades all rows below the horizon; every layer covers what lies under it."""

    def __init__(self, canvas: Canvas, rng: np.random.Generator) -> None:
        camera = canvas.camera
        self.canvas = canvas
        self.top = min(int(np.floor(camera.horizon)) + 1, camera.height - 1)
        row = np.arange(self.top, camera.height, dtype=np.float32)[:, None]
        drop = np.maximum(row - np.float32(camera.horizon), 0.3)
        self.z: Floats = np.float32(camera.focal * camera.eye) / drop
        column = np.arange(camera.width, dtype=np.float32)[None]
        x = (column - np.float32(camera.centre)) * self.z / np.float32(camera.focal)
        self.u: Floats = x - np.float32(0.5 * camera.bend) * self.z**2
        self.du: Floats = self.z / np.float32(camera.focal)  # metres per pixel
        self.dz: Floats = self.z**2 / np.float32(camera.focal * camera.eye)
        self.tone = np.zeros((*self.u.shape, 3), np.float32)
        self.label = np.full(self.u.shape, WALK, np.uint8)
        self.grain = rng.standard_normal((256, 256), dtype=np.float32)
        self.stain = noise(rng, 256, 256, 8, 4)

    def texture(self, tile: Floats, per_metre: float) -> Floats:
        """A tile laid over the ground, faded out where it gets finer than pixels."""
        x = np.mod(self.u * per_metre + 512, 256).astype(np.float32)
        y = np.mod(self.z * per_metre, 256).astype(np.float32)
        y = np.ascontiguousarray(np.broadcast_to(y, self.u.shape))
        fade: NDArray = 1 / (1 + (self.dz * per_metre / 4) ** 2)
        laid = cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return laid * fade

    def strip(self, low: float, high: float) -> Floats:
        """Coverage 0..1 of low < u < high with antialiased edges."""
        a = np.clip((self.u - low) / self.du + 0.5, 0, 1)
        return a * np.clip((high - self.u) / self.du + 0.5, 0, 1)

    def rows(self, near: float, far: float) -> Floats:
        """Coverage (rows, 1) of near < z < far."""
        a = np.clip((self.z - near) / self.dz + 0.5, 0, 1)
        return a * np.clip((far - self.z) / self.dz + 0.5, 0, 1)

    def lay(
        self, cover: Floats, tone: Floats | tuple[float, ...], label: int | None
    ) -> None:
        """Blend a colour or a picture over the covered part, and label it."""
        full = np.broadcast_to(cover, self.u.shape)
        used = np.flatnonzero(full.max(axis=1) > 0)
        if not len(used):
            return
        part = slice(used[0], used[-1] + 1)
        paint = np.asarray(tone, np.float32)
        paint = paint[part] if paint.ndim == 3 else paint
        below, weight = self.tone[part], full[part][..., None]
        self.tone[part] = below + (paint - below) * weight
        if label is not None:
            self.label[part][full[part] > 0.5] = label

    def joints(self, size: float) -> Floats:
        """Darkness of the joints between square paving stones."""
        line_u = np.abs(np.mod(self.u / size, 1) - 0.5) > 0.5 - 0.014 / size
        line_z = np.abs(np.mod(self.z / size, 1) - 0.5) > 0.5 - 0.014 / size
        fade = np.clip(0.5 - self.dz / size, 0, 0.5) * 0.8
        return (line_u | line_z) * fade


def _surfaces(g: Ground, rng: np.random.Generator, street: Street) -> Floats:
    grain, stain = g.texture(g.grain, 22), g.texture(g.stain, 6)
    soft = g.texture(g.stain, 1.3)
    rough = 1 + 0.06 * grain + 0.035 * stain
    stone = rng.uniform(0.85, 1.1) * np.array((148, 154, 160), np.float32)
    paving = (rough + 0.04 * soft - g.joints(street.flags))[..., None] * stone
    lawn = np.array((48, 112, 96), np.float32) * rng.uniform((0.8, 0.9, 0.7), 1.1)
    soil = (1 + 0.16 * grain + 0.12 * stain + 0.1 * soft)[..., None] * lawn
    dark = rng.uniform(84, 122)
    cast = np.array((1.02, 1.0, 0.99), np.float32)
    worn = 0.05 * soft - 0.03 * np.cos(g.u * (2 * np.pi / 1.7))  # wheel tracks
    asphalt = ((rough + worn) * np.float32(dark))[..., None] * cast
    g.lay(np.ones_like(g.u), paving, WALK)
    for side, near, far in street.parks:
        edge = (
            street.right + street.walk[1] if side > 0 else street.left - street.walk[0]
        )
        span = (edge, 400.0) if side > 0 else (-400.0, edge)
        g.lay(g.strip(*span) * g.rows(near, far), soil, TERRAIN)
    for verge, kerb, side in zip(
        street.verge, (street.left, street.right), (-1, 1), strict=True
    ):
        if verge:
            a, b = sorted((kerb + side * 0.3, kerb + side * (0.3 + verge)))
            g.lay(g.strip(a, b), soil, TERRAIN)
    for side, near, far in street.arms:
        span = (street.right, 400.0) if side > 0 else (-400.0, street.left)
        kerb = (stone * 1.1).tolist()
        g.lay(g.strip(*span) * g.rows(near - 2.7, far + 2.7), paving, WALK)
        g.lay(g.strip(*span) * g.rows(near - 0.2, far + 0.2), kerb, WALK)
        g.lay(g.strip(*span) * g.rows(near, far), asphalt, ROAD)
    g.lay(
        g.strip(street.left - 0.16, street.right + 0.16), (stone * 1.14).tolist(), None
    )
    for side, near, far in street.arms:
        span = (street.right - 1, 400.0) if side > 0 else (-400.0, street.left + 1)
        g.lay(g.strip(*span) * g.rows(near, far), asphalt, ROAD)
    g.lay(g.strip(street.left, street.right), asphalt, ROAD)
    for kerb, inner in ((street.left, 1), (street.right, -1)):
        a, b = sorted((kerb, kerb + inner * 0.12))
        g.lay(g.strip(a, b) * 0.5, (52.0, 54.0, 56.0), None)
    if street.median:
        low, high = street.median
        g.lay(g.strip(low, high), (stone * 1.1).tolist(), TERRAIN)
        g.lay(g.strip(low + 0.18, high - 0.18), soil, TERRAIN)
    return asphalt


def _markings(
    g: Ground, rng: np.random.Generator, street: Street, asphalt: Floats
) -> None:
    worn = np.clip(0.86 + 0.1 * g.texture(g.stain, 9), 0.4, 1)
    white = tuple(rng.uniform(0.85, 1.0) * np.array((205.0, 208.0, 210.0)))
    for _ in range(int(rng.integers(2, 7))):  # mended patches and manhole covers
        u, z = rng.uniform(street.left + 0.8, street.right - 0.8), rng.uniform(6, 30)
        wide, long = rng.uniform(0.4, 1.3), rng.uniform(1, 5)
        if street.median and abs(u - sum(street.median) / 2) < 4:
            continue
        if rng.uniform() < 0.5:
            patch = asphalt * np.float32(rng.uniform(0.75, 1.15))
            g.lay(g.strip(u - wide, u + wide) * g.rows(z, z + long), patch, None)
        else:
            lid = np.clip((0.36 - np.hypot(g.u - u, g.z - z)) / g.dz + 0.5, 0, 1)
            g.lay(lid, (66.0, 68.0, 70.0), None)
    if street.rails is not None:
        for rail in (-0.72, 0.72):
            u = street.rails + rail
            g.lay(g.strip(u - 0.09, u + 0.09), (58.0, 60.0, 64.0), None)
            g.lay(g.strip(u - 0.03, u + 0.04), (150.0, 152.0, 156.0), None)
    zebra = street.crossing
    clear = 1 - g.rows(zebra - 2.5, zebra + 6) if zebra else np.ones_like(g.z)
    for _, near, far in street.arms:
        clear = clear * (1 - g.rows(near - 2, far + 2))
    start = rng.uniform(0, 9)
    dash = np.clip((4.5 - np.mod(g.z + start, 9)) / g.dz + 0.5, 0, 1)
    for u in street.dashes:
        g.lay(g.strip(u - 0.07, u + 0.07) * dash * clear * worn, white, None)
    for u in street.solids:
        g.lay(g.strip(u - 0.07, u + 0.07) * clear * worn, white, None)
    if zebra:
        stripe = np.clip((0.25 - np.abs(np.mod(g.u, 1.0) - 0.5)) / g.du + 0.5, 0, 1)
        road = g.strip(street.left + 0.3, street.right - 0.3)
        g.lay(road * stripe * g.rows(zebra, zebra + 3.6) * worn, white, None)
        stop = g.rows(zebra - 1.6, zebra - 1.15)
        g.lay(g.strip(0.15 + min(street.dashes, key=abs, default=0),
                      street.right - 0.3) * stop * worn, white, None)  # fmt: skip


def ground(
    canvas: Canvas,
    rng: np.random.Generator,
    street: Street,
    casts: list[tuple[NDArray[np.float64], float]],
) -> None:
    """Draw the street surface with the soft shadows `casts`.

    Each cast is a ground outline (N, 2) of world (x, z) and a darkness 0..1.
    """
    g = Ground(canvas, rng)
    _markings(g, rng, street, _surfaces(g, rng, street))
    shadow = np.zeros(canvas.label.shape, np.uint8)
    for outline, dark in sorted(casts, key=lambda cast: cast[1]):
        world = np.stack([outline[:, 0], 0 * outline[:, 0], outline[:, 1]], axis=1)
        spot = np.round(canvas.camera.project(world) * 2**SUBPIXEL)
        spot = [np.clip(spot, -(2**22), 2**22).astype(np.int32)]
        cv2.fillPoly(shadow, spot, int(255 * dark), cv2.LINE_AA, SUBPIXEL)
    soft = cv2.GaussianBlur(shadow, (0, 0), max(0.6, canvas.camera.width / 500))
    light = canvas.light.shade((0, 1, 0)) * (1 - soft[g.top :].astype(np.float32) / 255)
    tint = g.tone * light[..., None]
    veil = canvas.light.veil(g.z)[..., None].astype(np.float32)
    tint = tint * (1 - veil) + veil * canvas.light.haze.astype(np.float32)
    canvas.image[g.top :] = np.clip(tint, 0, 255).astype(np.uint8)
    canvas.label[g.top :] = g.label
