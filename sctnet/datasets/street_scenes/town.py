"""Houses: perspective facades with windows, doors and shops, gable walls and roofs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .facades import BRICK, TILES, Front
from .people import pick

BUILDING = 2


@dataclass
class House:
    """A house with its front at street coordinate u (sign = side), z0 <= z <= z1."""

    u: float
    z0: float
    z1: float
    high: float  # eaves, metres
    deep: float
    style: str  # plaster, brick, concrete or glass
    roof: float  # height of the pitched roof, 0 when flat
    gable: bool  # whether the near end can be seen


def _lit(texture: NDArray[np.uint8], shade: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.convertScaleAbs(texture, alpha=shade), np.uint8)


def _visible(canvas: Canvas, house: House) -> float:
    """Smallest z from which the front is inside the picture, metres."""
    camera = canvas.camera
    edge = camera.width - camera.centre if house.u > 0 else camera.centre
    start = abs(house.u) * camera.focal / max(edge, 1) * 0.9
    return max(house.z0, min(start, house.z1 - 0.5), 1.5)


def house(canvas: Canvas, rng: np.random.Generator, plan: House) -> None:
    """Draw one house: gable end, roof, then the front along the street."""
    camera, light = canvas.camera, canvas.light
    side = float(np.sign(plan.u))
    near = _visible(canvas, plan)
    ends = [(camera.x_at(plan.u, z), 0.0, z) for z in (near, plan.z1)]
    ends.append((ends[0][0] + side * plan.deep * plan.gable, 0.0, near))
    columns = camera.project(ends)[:, 0]
    if columns.max() < 0 or columns.min() > camera.width:
        return
    scale = camera.focal / near
    py = float(np.clip(scale * 0.9, 4, 40))
    px = float(np.clip(scale * abs(plan.u) / near * 1.1, 3, 32))
    seed = int(rng.integers(2**32))
    front = Front(rng, plan.z1 - plan.z0, plan.high, px, py, plan.style)
    _roof(canvas, rng, plan)
    if plan.gable and plan.z0 > 4:
        _gable(canvas, np.random.default_rng(seed), plan, front.paint)
    shop = (rng.uniform() < 0.6 and plan.style != 'glass') or rng.uniform() < 0.3
    foot = rng.uniform(3.4, 4.2) if shop else 2.9
    front.floors(foot)
    if shop:
        front.shops(foot)
    else:
        front.homes()
    texture = _lit(front.texture, light.shade((-side, 0.15, 0)))
    skip = round((near - plan.z0) * px)
    texture = np.ascontiguousarray(texture[:, min(skip, texture.shape[1] - 4) :])
    xa, xb = camera.x_at(plan.u, near), camera.x_at(plan.u, plan.z1)
    quad = [
        (xa, plan.high, near),
        (xb, plan.high, plan.z1),
        (xb, 0, plan.z1),
        (xa, 0, near),
    ]
    canvas.wall(quad, texture, BUILDING)


def _gable(
    canvas: Canvas, rng: np.random.Generator, plan: House, paint: NDArray
) -> None:
    camera, light, z = canvas.camera, canvas.light, plan.z0
    side = float(np.sign(plan.u))
    density = float(np.clip(camera.focal / z * 0.8, 3, 26))
    end = Front(rng, plan.deep, plan.high, density, density, plan.style)
    if rng.uniform() < 0.6:
        end.floors(3.0)
    shade = light.shade((0, 0.15, -1))
    a = camera.x_at(plan.u, z)
    b = a + side * plan.deep
    if plan.roof:
        tip = ((a + b) / 2, plan.high + plan.roof, z)
        canvas.face(
            [(a, plan.high, z), tip, (b, plan.high, z)], end.paint * shade, BUILDING
        )
    quad = [(a, plan.high, z), (b, plan.high, z), (b, 0, z), (a, 0, z)]
    canvas.wall(quad, _lit(end.texture, shade), BUILDING)


def _roof(canvas: Canvas, rng: np.random.Generator, plan: House) -> None:
    camera, light = canvas.camera, canvas.light
    side = float(np.sign(plan.u))
    z0, z1 = max(plan.z0, 2.0), plan.z1
    a, b = camera.x_at(plan.u, z0), camera.x_at(plan.u, z1)
    back, tip = side * plan.deep / 2, plan.high + plan.roof
    tiles = pick(rng, TILES)
    for z in rng.uniform(z0, z1, int(rng.integers(0, 3))):  # chimneys
        x = camera.x_at(plan.u, z) + back * 0.8
        y = plan.high + max(plan.roof * 0.7, 0)
        stack = [(x, y, z), (x, y + 1.9, z), (x + 0.8, y + 1.9, z), (x + 0.8, y, z)]
        canvas.face(stack, pick(rng, BRICK) * light.shade((0, 0, -1)), BUILDING)
    if not plan.roof:
        return
    normal = np.array((-side * plan.roof, plan.deep / 2, 0))
    if (np.array((-a, camera.eye - plan.high, 0.0)) @ normal) < 0:
        return  # too flat to be seen from the street
    slope = [
        (a, plan.high, z0),
        (b, plan.high, z1),
        (b + back, tip, z1),
        (a + back, tip, z0),
    ]
    canvas.face(slope, tiles * light.shade(normal), BUILDING)
    for t in (0.25, 0.5, 0.75):  # rows of tiles
        row = np.array(slope[:2]) * (1 - t) + np.array(slope[3:1:-1]) * t
        thick = camera.focal / row[0, 2] * 0.05
        canvas.stroke(
            camera.project(row), thick, tiles * 0.55, None, float(row[:, 2].mean())
        )
