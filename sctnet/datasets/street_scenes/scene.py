"""Drawing one planned scene, back to front."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from . import people
from .canvas import Camera, Canvas, Light
from .ground import ground
from .placing import roadside, traffic, walkers
from .sky import sky, skyline
from .street_layout import Planner, Thing
from .texture import foliage

IGNORED = 255


def _setting(
    rng: np.random.Generator, width: int, height: int
) -> tuple[Camera, Light, float, NDArray]:
    """Camera, light, cloudiness and zenith colour of a scene."""
    focal = rng.uniform(0.95, 1.15) * max(width, 2 * height)
    bend = float(rng.choice([-1, 1]) * rng.uniform(0.0002, 0.0022))
    bend = bend if rng.uniform() < 0.6 else 0.0
    camera = Camera(
        width,
        height,
        focal,
        width * rng.uniform(0.44, 0.56),
        height * rng.uniform(0.39, 0.47),
        rng.uniform(1.25, 1.65),
        bend,
    )
    cloud = float(rng.choice([0.15, 0.4, 0.62, 1.0], p=[0.25, 0.3, 0.2, 0.25]))
    azimuth, height_ = rng.uniform(0, 2 * np.pi), np.deg2rad(rng.uniform(22, 58))
    sun = np.array([np.sin(azimuth) * np.cos(height_), np.sin(height_),
                    np.cos(azimuth) * np.cos(height_)])  # fmt: skip
    direct = rng.uniform(0.32, 0.5) if cloud < 0.6 else rng.uniform(0.06, 0.18)
    ambient = rng.uniform(0.62, 0.74) + (0.12 if direct < 0.2 else 0)
    haze = np.array([226.0, 216, 206]) * rng.uniform(0.9, 1.02)
    zenith = np.array([204.0, 150, 92]) * rng.uniform(0.85, 1.1)
    if cloud >= 0.6:
        zenith = zenith * 0.3 + np.array([206.0, 200, 194]) * 0.7
        haze = np.array([214.0, 212, 208]) * rng.uniform(0.92, 1.02)
    reach = rng.uniform(220, 520)
    return camera, Light(sun, direct, ambient, haze, reach), cloud, zenith


def _casts(things: list[Thing], canvas: Canvas) -> list[tuple[NDArray, float]]:
    """Ground outlines (x, z) of sun shadows and of the dark below things."""
    camera, light = canvas.camera, canvas.light
    casts = []
    for thing in things:
        if thing.middle is None:
            continue
        w, d = thing.box
        x, z = camera.x_at(thing.u, thing.middle), thing.middle
        middle = np.array([x, z])
        foot = np.array([(-w, -d), (w, -d), (w, d), (-w, d)]) + middle
        if d > 0.5 and thing.tall < 5:
            casts.append((foot + 0.12 * (foot - middle), 0.62))
        elif thing.tall < 5:
            casts.append((people.circle((x, z), max(w, 0.22), 1.2), 0.4))
        shift = -light.sun[[0, 2]] / light.sun[1] * thing.tall
        both = np.concatenate([foot, foot + shift]).astype(np.float32)
        hull = cv2.convexHull(both)[:, 0].astype(np.float64)
        hull[:, 1] = np.maximum(hull[:, 1], 0.8)
        dark = light.direct / light.shade((0, 1, 0)) * 1.1
        casts.append((hull, min(dark, 0.5)))
    return casts


def _finish(canvas: Canvas, rng: np.random.Generator, warm: float, gain: float) -> None:
    """Lens blur, vignette, white balance, contrast and sensor noise."""
    image = cv2.GaussianBlur(canvas.image, (3, 3), 0.55)
    h, w = canvas.label.shape
    y, x = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    vignette = (1 - 0.10 * (x * x + 0.6 * y * y)).astype(np.float32)
    level = np.arange(256) / 255
    curve = np.clip(level * gain, 0, 1.6)
    curve = curve * (1 + 0.16 * (curve - 0.5) * (1.1 - curve) * 2)
    table = np.stack([curve * (1 - warm), curve, curve * (1 + warm)], axis=-1)
    table = np.clip(255 * (1 - np.exp(-1.9 * table)) / (1 - np.exp(-1.9)), 0, 255)
    table = (0.5 * table + 0.5 * np.clip(curve * 255, 0, 255)[:, None]).astype(np.uint8)
    image = cv2.LUT(image, table[None])
    grain = rng.standard_normal((h, w, 1), dtype=np.float32) * rng.uniform(1.2, 2.6)
    canvas.image = np.clip(image * vignette[..., None] + grain, 0, 255).astype(np.uint8)


def _hood(canvas: Canvas, rng: np.random.Generator) -> None:
    w, h = canvas.camera.width, canvas.camera.height
    t = np.linspace(0, np.pi, 40)
    paint = pick_hood = people.pick(rng, people.PAINTS) * 0.5
    for k, tone in ((1.0, paint), (0.72, pick_hood * 1.25 + 8)):
        arch = np.stack([w / 2 - np.cos(t) * w * 0.5 * k,
                         h + 1 - np.sin(t) ** 0.6 * h * 0.075 * k], axis=1)  # fmt: skip
        canvas.polygon(arch, tone, IGNORED)


def draw_scene(
    seed: int, width: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """BGR image (H, W, 3) and train-id map (H, W), both uint8; sizes in pixels."""
    layout, texture = (np.random.default_rng([seed, k]) for k in (1, 2))
    camera, light, cloud, zenith = _setting(layout, width, height)
    warm, gain, hood = (
        layout.uniform(-0.05, 0.06),
        layout.uniform(0.9, 1.1),
        layout.uniform(),
    )
    canvas = Canvas(camera, light)
    plan = Planner(layout)
    green = np.array((44, 104, 78)) * layout.uniform((0.7, 0.75, 0.7), (1.3, 1.15, 1.5))
    plan.crowns += [
        foliage(texture, green, float(np.sign(light.sun[0]))) for _ in range(3)
    ]
    plan.sides()
    for place in (roadside, walkers, traffic):
        place(plan)
    sky(canvas, texture, cloud, zenith)
    skyline(canvas, texture)
    ground(canvas, texture, plan.street, _casts(plan.things, canvas))
    order = sorted(range(len(plan.things)), key=lambda i: -plan.things[i].z)
    for i in order:
        plan.things[i].paint(canvas, np.random.default_rng([seed, 3, i]))
    if hood < 0.4:
        _hood(canvas, layout)
    _finish(canvas, texture, warm, gain)
    return canvas.image, canvas.label
