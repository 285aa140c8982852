"""Poles, street lamps, traffic signs, traffic lights, trees, walls and fences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .canvas import Canvas
from .people import PAINTS, Figure, circle, pick
from .texture import noise

WALL, FENCE, POLE, LIGHT, SIGN, GREEN = 3, 4, 5, 6, 7, 8
STEEL, WHITE, RED, BLUE = (112, 112, 110), (232, 232, 232), (44, 36, 196), (168, 88, 24)
YELLOW, BLACK = (40, 190, 240), (26, 26, 26)
LAMPS = [(60, 50, 250), (40, 190, 255), (120, 230, 60)]  # red, amber, green


def post(f: Figure, high: float, wide: float = 0.1, x: float = 0.0) -> None:
    """An upright pole with a lit side."""
    foot, head = wide / 2, wide * 0.42
    f.shape(
        [(x - foot, 0), (x + foot, 0), (x + head, high), (x - head, high)], STEEL, POLE
    )
    lit = np.sign(f.canvas.light.sun[0]) * head
    strip = [(x, 0), (x + lit, 0), (x + lit, high), (x, high)]
    f.shape(strip, (150, 150, 148), POLE)


def lamp(
    canvas: Canvas, rng: np.random.Generator, u: float, z: float, inward: float
) -> None:
    """A street lamp whose arm reaches `inward` (-1 or 1) over the road."""
    f = Figure(canvas, u, z, POLE)
    high = rng.uniform(6.0, 8.5)
    post(f, high, 0.17)
    arm = [(0, high - 0.05), (0.35 * inward, high + 0.35), (1.5 * inward, high + 0.5)]
    f.line(arm, 0.09, STEEL)
    head = [(1.3, 0.42), (2.1, 0.46), (2.05, 0.58), (1.4, 0.6)]
    f.shape([(x * inward, high + y) for x, y in head], (140, 142, 142))


def plain_pole(canvas: Canvas, rng: np.random.Generator, u: float, z: float) -> None:
    """A bare pole, or a low bollard."""
    high = rng.uniform(4.0, 9.0) if rng.uniform() < 0.6 else 0.95
    post(Figure(canvas, u, z, POLE), high, rng.uniform(0.1, 0.16))


def _plate(f: Figure, kind: int, y: float) -> None:
    ring = circle((0, y), 0.36, corners=28)
    spot = np.array([0, y])
    three = np.array([(-0.42, -0.3), (0.42, -0.3), (0, 0.44)])
    four = np.array([(-0.32, -0.32), (0.32, -0.32), (0.32, 0.32), (-0.32, 0.32)])
    if kind == 0:  # speed limit
        f.shape(ring, RED)
        f.shape(circle((0, y), 0.27), WHITE)
        f.line(
            [(-0.12, y + 0.1), (-0.05, y + 0.1), (-0.12, y - 0.1), (-0.04, y - 0.1)],
            0.04,
            BLACK,
        )
        f.line(circle((0.08, y), 0.06, 1.7, 9), 0.04, BLACK)
    elif kind == 1:  # mandatory direction
        f.shape(ring, BLUE)
        f.line([(-0.15, y - 0.15), (0.13, y + 0.12), (-0.08, y + 0.14)], 0.07, WHITE)
    elif kind == 2:  # danger
        f.shape(three + spot, RED)
        f.shape(three * 0.66 + (0, y - 0.01), WHITE)
        f.line([(0, y - 0.12), (0, y + 0.12)], 0.07, BLACK)
    elif kind == 3:  # give way
        f.shape(three * (1, -1) + spot, RED)
        f.shape(three * (0.62, -0.62) + (0, y + 0.02), WHITE)
    elif kind == 4:  # priority road
        f.shape(circle((0, y), 0.44, corners=4), WHITE)
        f.shape(circle((0, y), 0.33, corners=4), YELLOW)
    elif kind == 5:  # parking
        f.shape(four + spot, WHITE)
        f.shape(four * 0.9 + spot, BLUE)
        f.line([(-0.1, y - 0.2), (-0.1, y + 0.18), (0.1, y + 0.14), (0.1, y + 0.02),
                (-0.1, y)], 0.08, WHITE)  # fmt: skip
    elif kind == 6:  # direction board
        colour = YELLOW if f.x > 0 else BLUE
        ink = BLACK if f.x > 0 else WHITE
        f.shape(four * (2.6, 1.3) + (0, y + 0.2), ink)
        f.shape(four * (2.5, 1.18) + (0, y + 0.2), colour)
        for row in (0.0, 0.2, 0.4):
            f.line([(-0.6, y + row), (0.1 + row, y + row)], 0.06, ink)
        f.line([(0.6, y), (0.6, y + 0.4)], 0.08, ink)
    else:  # stop
        f.shape(circle((0, y), 0.4, corners=8), RED)
        f.line([(-0.22, y), (0.22, y)], 0.13, WHITE)


def sign(canvas: Canvas, rng: np.random.Generator, u: float, z: float) -> None:
    """One or two traffic signs on a pole."""
    f = Figure(canvas, u, z, SIGN)
    y = rng.uniform(2.2, 2.9)
    kind = int(rng.integers(8))
    pair = kind != 6 and rng.uniform() < 0.3
    post(f, y + 0.3, 0.085)
    if kind == 6:
        post(f, y + 0.3, 0.085, 0.5)
    _plate(f, kind, y)
    if pair:
        _plate(f, int(rng.choice([0, 1, 5, 7])), y - 0.82)


def signal(
    canvas: Canvas, rng: np.random.Generator, u: float, z: float, state: int,
    inward: float = 0.0,
) -> None:  # fmt: skip
    """A traffic light; with `inward` also a mast arm that carries one over the road."""
    f = Figure(canvas, u, z, LIGHT)
    spots = [(0.0, 2.5)]
    if inward:
        post(f, 5.9, 0.18)
        f.canvas.stroke(f.pixels([(0, 5.75), (4.2 * inward, 5.95)]), 0.12 * f.scale,
                        np.array(STEEL) * f.shade, POLE, z)  # fmt: skip
        spots.append((4.0 * inward, 5.3))
    else:
        post(f, 3.55, 0.11)
    for x, y in spots:
        plate = np.array([(-0.24, -0.08), (0.24, -0.08), (0.24, 1.08), (-0.24, 1.08)])
        f.shape(plate + np.array([x, y]), (60, 62, 60))
        f.shape(plate * (0.78, 0.94) + (x, y + 0.03), (30, 32, 30))
        for i in range(3):
            centre = (x, y + 0.83 - 0.33 * i)
            on = i == state
            colour = np.array(LAMPS[i]) * (1 / f.shade if on else 0.22)
            if on:
                f.disc(centre, 0.15, np.array(LAMPS[i]) * 0.5)
            f.disc(centre, 0.12, np.minimum(colour, 255 / f.shade))
            if on:
                f.disc((x, centre[1] + 0.01), 0.06, np.array((235, 245, 250)) / f.shade)


def tree(
    canvas: Canvas, rng: np.random.Generator, crowns: list[NDArray[np.uint8]],
    u: float, z: float, high: float,
) -> None:  # fmt: skip
    """A tree `high` metres tall with trunk, limbs and one or two leafy crowns."""
    f = Figure(canvas, u, z, GREEN)
    bark = np.array((48, 58, 68)) * rng.uniform(0.8, 1.15)
    trunk = high * rng.uniform(0.24, 0.34)
    lean = rng.uniform(-0.15, 0.15)
    f.limb((0, 0), (lean, trunk * 1.5), (high * 0.045, high * 0.03), bark)
    for s in (-1, 1):
        tip = (lean + s * high * 0.12, trunk * 2.0)
        f.limb((lean * 0.7, trunk * 1.1), tip, (high * 0.024, high * 0.012), bark)
    wide = high * rng.uniform(0.3, 0.4)
    spread = [(0.0, 0.0, 1.0)]
    if rng.uniform() < 0.6:
        spread.insert(0, (rng.uniform(-0.35, 0.35), -0.18, 0.78))
    for dx, dy, size in spread:
        centre = lean + dx * wide
        low = trunk * 0.85 + (dy + 1 - size) * (high - trunk) * 0.5
        corners = f.pixels([(centre - wide * size, low + (high - low) * size),
                            (centre + wide * size, low)])  # fmt: skip
        crown = crowns[int(rng.integers(len(crowns)))]
        flip = (
            crown[:, ::-1]
            if rng.uniform() < 0.5 and canvas.light.direct < 0.2
            else crown
        )
        canvas.sprite(np.ascontiguousarray(flip), corners.ravel(), GREEN, z)


def bush(
    canvas: Canvas, rng: np.random.Generator, crowns: list[NDArray[np.uint8]],
    u: float, z: float, high: float,
) -> None:  # fmt: skip
    """A bush: a crown that sits on the ground."""
    f = Figure(canvas, u, z, GREEN)
    wide = high * rng.uniform(0.6, 1.0)
    corners = f.pixels([(-wide, high), (wide, -0.12 * high)])
    crown = crowns[int(rng.integers(len(crowns)))]
    canvas.sprite(crown, corners.ravel(), GREEN, z)


def barrier(
    canvas: Canvas, rng: np.random.Generator, u: float, z0: float, z1: float, kind: int
) -> None:
    """A wall (kind 3) or a see-through fence (kind 4) along the street."""
    camera = canvas.camera
    near = max(z0, 3.0)
    if z1 - near < 1:
        return
    high = rng.uniform(1.5, 2.6) if kind == WALL else rng.uniform(1.1, 2.0)
    density = float(np.clip(camera.focal / near * 0.6, 8, 45))
    texture = _masonry(rng, z1 - near, high, density)
    if kind == FENCE:
        texture = _bars(rng, z1 - near, high, density)
    normal = (-np.sign(u), 0, 0)
    texture[..., :3] = np.clip(texture[..., :3] * canvas.light.shade(normal), 0, 255)
    steps = np.linspace(near, z1, 4)  # follow the bend
    columns = np.linspace(0, texture.shape[1], 4).astype(int)
    for i in (2, 1, 0):
        a, b = steps[i], steps[i + 1]
        xa, xb = camera.x_at(u, a), camera.x_at(u, b)
        quad = [(xa, high, a), (xb, high, b), (xb, 0, b), (xa, 0, a)]
        part = np.ascontiguousarray(texture[:, columns[i] : columns[i + 1]])
        canvas.wall(quad, part, kind)


def _masonry(
    rng: np.random.Generator, long: float, high: float, density: float
) -> NDArray[np.uint8]:
    h, w = max(4, round(high * density)), max(8, round(long * density))
    base = pick(rng, [(120, 132, 140), (150, 156, 160), (84, 98, 140)])
    tone = 1 + 0.09 * noise(rng, h, w, 6) + 0.05 * rng.standard_normal((h, w))
    course = max(3, round(0.25 * density))
    for i, row in enumerate(range(0, h, course)):
        tone[row : row + 1] *= 0.72
        shift = (i % 2) * course
        tone[row : row + course, shift :: 2 * course] *= 0.74
    tone[: max(1, round(0.12 * density))] *= 1.18
    return np.clip(base * tone[..., None], 0, 255).astype(np.uint8)


def _bars(
    rng: np.random.Generator, long: float, high: float, density: float
) -> NDArray[np.uint8]:
    h, w = max(6, round(high * density)), max(8, round(long * density))
    colour = pick(rng, [(60, 62, 58), (60, 90, 50), (70, 100, 130), *PAINTS[:1]])
    texture = np.empty((h, w, 4), np.uint8)
    texture[..., :3] = colour
    texture[..., 3] = 45
    bar = max(1, round(0.035 * density))
    every = max(bar + 2, round(rng.choice([0.13, 0.2]) * density))
    for k in range(bar):
        texture[:, k::every, 3] = 235
    for k in range(2 * bar):
        texture[:, k :: max(4 * bar, round(2.4 * density)), 3] = 255
    for row in (0.06, 0.5, 0.9):
        texture[round(row * h) : round(row * h) + 2 * bar, :, 3] = 255
    return texture
