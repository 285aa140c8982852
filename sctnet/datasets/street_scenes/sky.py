"""Sky with clouds, and the distant skyline."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .texture import noise

BUILDING, GREEN = 2, 8


def sky(
    canvas: Canvas, rng: np.random.Generator, cloud: float, zenith: NDArray
) -> None:
    """Gradient, a glow around the sun, and clouds that cover about `cloud` (0..1)."""
    camera, light = canvas.camera, canvas.light
    h, w = max(8, camera.height // 4), max(16, camera.width // 4)
    row = (np.arange(h, dtype=np.float32) * camera.height / h)[:, None]
    up = np.clip((camera.horizon - row) / max(camera.horizon, 1), 0, 1)
    blue = light.haze + (zenith - light.haze) * (up**0.7)[..., None]
    blue = np.broadcast_to(blue, (h, w, 3)).astype(np.float32)
    # Seen from below a flat cloud layer gets finer towards the horizon.
    field_ = noise(rng, 256, 256, 5, 6)
    far = 1 / (up + 0.16)
    column = (np.arange(w, dtype=np.float32)[None] / w - 0.5) * 60
    across = (128 + column * far * 0.55).astype(np.float32)
    along = (28 * far + 20 + 0 * across).astype(np.float32)
    layer = cv2.remap(
        field_, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    cover = np.clip((layer + 2.4 * (cloud - 0.5)) * 0.8 + 0.25, 0, 1)
    cover = cover * cover * (3 - 2 * cover) * np.clip(up * 5 + 0.25, 0, 1)
    white = 226 - 34 * np.clip(layer - 0.3, 0, 2) * cloud + 0 * up
    mixed = blue * (1 - cover[..., None] * 0.9) + (white * cover * 0.9)[..., None]
    if light.direct > 0.15 and light.sun[2] > 0:
        x = camera.centre + camera.focal * light.sun[0] / light.sun[2]
        x *= w / camera.width
        y = h * 0.1
        xs, ys = np.meshgrid(np.arange(w), np.arange(h))
        glow = np.exp(-np.hypot(xs - x, ys - y) / (0.16 * w))
        mixed += glow[..., None] * np.array((36, 46, 54)) * light.direct * 2
    full = cv2.resize(
        np.clip(mixed, 0, 255).astype(np.float32),
        (camera.width, camera.height),
        interpolation=cv2.INTER_CUBIC,
    )
    canvas.image[:] = np.clip(full, 0, 255).astype(np.uint8)


def skyline(canvas: Canvas, rng: np.random.Generator) -> None:
    """Hazy roofs and tree tops behind everything else, 220 to 420 m away."""
    camera = canvas.camera
    for z in (420.0, 320.0, 230.0):
        scale = camera.focal / z
        x = -0.1 * camera.width
        while x < 1.1 * camera.width:
            green = rng.uniform() < 0.35
            wide = rng.uniform(8, 26) * scale
            high = rng.uniform(6, 10) if green else rng.uniform(8, 17)
            top, foot = camera.horizon - high * scale, camera.horizon + 1.5
            if green:
                t = np.linspace(np.pi, 0, 14)
                bumps = 1 + 0.12 * rng.standard_normal(14)
                crown = np.stack(
                    [
                        x + wide * (0.5 + 0.6 * np.cos(t)),
                        foot - (foot - top) * np.sin(t) * bumps,
                    ],
                    1,
                )
                canvas.polygon(crown, (60, 92, 80), GREEN, z)
            else:
                peak = top - rng.choice([0, 3.5]) * scale
                roof = [(x, foot), (x, top), (x + wide / 2, peak), (x + wide, top)]
                tone = rng.uniform(0.7, 1.1) * np.array((120, 128, 138))
                canvas.polygon([*roof, (x + wide, foot)], tone, BUILDING, z)
            x += wide * rng.uniform(0.6, 1.05)
