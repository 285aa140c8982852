"""Textures of surfaces and of leaves, made of noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Colour


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
    rng: np.random.Generator, green: Colour, sun_side: float, size: int = 192
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
    flecks = cv2.resize(leaves, (size, size), interpolation=cv2.INTER_LINEAR)
    cover = np.clip((field + 0.11 * clumps + 0.05 * flecks - 0.12) * 9, 0, 1)
    tone = 0.62 + 0.42 * light - 0.16 * y + 0.10 * clumps + 0.13 * flecks
    tone *= 0.72 + 0.28 * np.sqrt(np.clip(field, 0, 1))
    sprite = np.empty((size, size, 4), np.uint8)
    body = tone[..., None] * np.asarray(green, np.float32)
    sprite[..., :3] = np.clip(body, 0, 255).astype(np.uint8)
    sprite[..., 3] = (cover * 255).astype(np.uint8)
    return sprite
