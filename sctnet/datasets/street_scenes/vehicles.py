"""Cars and vans: small solids in perspective with windows, wheels and lights.

Local axes in metres: x right, y up, z ahead of the vehicle.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import Canvas, Colour
from .people import PAINTS, circle, pick

CAR = 13
GLASS = np.array((62.0, 54, 46))
TYRE, RIM, RED, LAMP = (26, 26, 27), (150, 150, 150), (36, 30, 190), (225, 235, 240)
# Rear, front, belt and bonnet; then rear bottom, rear top, front top and front bottom
# of the cabin and its roof: saloon, hatchback, estate, van, off-roader.
SHAPES = [
    (-2.25, 2.25, 0.95, 0.78, (-1.7, -1.0, 0.25, 1.2), 1.45),
    (-1.95, 1.95, 1.0, 0.86, (-1.9, -1.45, 0.25, 1.15), 1.5),
    (-2.3, 2.25, 0.96, 0.8, (-2.2, -1.85, 0.3, 1.2), 1.48),
    (-2.5, 2.4, 1.2, 1.05, (-2.48, -2.4, 1.0, 1.85), 2.1),
    (-2.25, 2.25, 1.08, 1.0, (-2.2, -1.85, 0.4, 1.15), 1.74),
]


class Solid:
    """A body that stands on the ground with a heading; draws the faces one can see."""

    def __init__(
        self, canvas: Canvas, u: float, z: float, heading: float, label: int
    ) -> None:
        self.canvas, self.label = canvas, label
        angle = heading + canvas.camera.heading_at(z)
        self.turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0],
                              [np.sin(angle), 0, np.cos(angle)]])  # fmt: skip
        self.origin = np.array([canvas.camera.x_at(u, z), 0.0, z])
        eye = np.array([0, canvas.camera.eye, 0]) - self.origin
        self.eye = eye @ self.turn.T  # the camera in local axes
        self.fine = canvas.camera.focal / z > 14  # pixels per metre

    def sees(self, point: ArrayLike, normal: ArrayLike) -> bool:
        """Whether the camera is on the outer side of a local plane."""
        return float((self.eye - np.asarray(point)) @ np.asarray(normal)) > 0

    def face(
        self, points: ArrayLike, colour: Colour, normal: ArrayLike, glow: bool = False
    ) -> None:
        """Fill a local polygon (N, 3), lit by its local normal unless it glows."""
        world = np.asarray(points, float) @ self.turn + self.origin
        shade = 1.0 if glow else self.canvas.light.shade(np.asarray(normal) @ self.turn)
        lit = np.clip(np.asarray(colour, float) * shade, 0, 255)
        self.canvas.face(world, lit, self.label)

    def side(self, outline: ArrayLike, x: float, colour: Colour) -> None:
        """Fill an outline (N, 2) of (z, y) on the side plane at x, if visible."""
        o = np.asarray(outline, float)
        if self.eye[0] * x > x * x:
            points = np.stack([np.full(len(o), x), o[:, 1], o[:, 0]], axis=1)
            self.face(points, colour, (math.copysign(1, x), 0.25, 0))

    def end(
        self, box: tuple[float, float, float, float], z: float, colour: Colour,
        glow: bool = False,
    ) -> None:  # fmt: skip
        """Fill x0, y0, x1, y1 on the front (z > 0) or rear plane, if visible."""
        x0, y0, x1, y1 = box
        normal = (0, 0.25, math.copysign(1, z))
        if self.eye[2] * z > z * z:
            corners = [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]
            self.face(corners, colour, normal, glow)

    def extrude(
        self, profile: ArrayLike, half: ArrayLike, colours: list[Colour]
    ) -> None:
        """Bend strips of half width `half` (N,) over a side profile (N, 2) of (z, y).

        The profile runs from the rear bottom over the roof to the front bottom.
        """
        p, h = np.asarray(profile, float), np.asarray(half, float)
        for i in range(len(p) - 1):
            (z0, y0), (z1, y1) = p[i], p[i + 1]
            normal = (0, z1 - z0, y0 - y1)
            if self.sees((0, y0, z0), normal):
                a, b = h[i], h[i + 1]
                quad = [(-a, y0, z0), (a, y0, z0), (b, y1, z1), (-b, y1, z1)]
                self.face(quad, colours[i], normal)

    def wheel(self, z: float, radius: float, x: float) -> None:
        """Draw tyre and rim on the side plane at x, if visible."""
        spot = (z, radius)
        if self.eye[0] * x <= x * x:
            return
        self.side(circle((z, radius + 0.03), radius * 1.16), x, TYRE)
        if self.fine:
            self.side(circle(spot, radius * 0.66), x, RIM)
            self.side(circle(spot, radius * 0.3), x, (86, 86, 88))


def shrink(points: ArrayLike, k: float) -> NDArray[np.float64]:
    """Points pulled towards their mean."""
    p = np.asarray(points, float)
    return p.mean(axis=0) + (p - p.mean(axis=0)) * k


def car(
    canvas: Canvas, rng: np.random.Generator, u: float, z: float, heading: float = 0.0
) -> None:
    """A car or van, seen from the rear with heading 0 and from the front with pi."""
    rear, front, belt, hood, cabin, roof = SHAPES[
        rng.choice(5, p=[0.28, 0.26, 0.18, 0.12, 0.16])
    ]
    s, paint, half = Solid(canvas, u, z, heading, CAR), pick(rng, PAINTS), 0.89
    body = [
        (rear + 0.08, 0.24),
        (rear, 0.5),
        (rear + 0.05, belt - 0.15),
        (rear + 0.22, belt),
        (cabin[3], belt),
        (front - 0.4, hood),
        (front - 0.06, hood - 0.16),
        (front, 0.5),
        (front - 0.08, 0.24),
    ]
    for x in (-half + 0.12, half - 0.12):  # tyres below the bumpers
        for end in (rear + 0.5, front - 0.5):
            s.end((x - 0.11, 0.0, x + 0.11, 0.35), end, TYRE)
    s.end((-half, 0.16, half, 0.3), rear + 0.3, (28, 28, 28))
    s.end((-half, 0.16, half, 0.3), front - 0.3, (28, 28, 28))
    width = half * np.array([0.93, 1, 1, 0.96, 0.96, 0.95, 0.97, 1, 0.93])
    dark = paint * 0.62
    s.extrude(
        body, width, [dark, paint, paint, paint, paint * 1.05, paint, paint, dark]
    )
    for x in (-half, half):
        if s.eye[0] * x <= x * x:
            continue
        s.side(body, x, paint)
        sill = [(rear + 0.06, 0.24), (rear + 0.01, 0.42), (front - 0.01, 0.42)]
        s.side([*sill, (front - 0.06, 0.24)], x, paint * 0.68)
        line = [(rear + 0.3, belt - 0.03), (front - 0.5, hood - 0.06)]
        s.side([*line, (front - 0.5, hood - 0.1), (rear + 0.3, belt - 0.1)], x,
               np.minimum(paint * 1.2 + 8, 255))  # fmt: skip
        s.side([(0.08, 0.36), (0.08, belt), (0.1, belt), (0.1, 0.36)], x, paint * 0.5)
        for axle in (rear + 0.82, front - 0.85):
            s.wheel(axle, 0.325, x)
    _ends(s, rear, front, belt, hood, half)
    _cabin(s, cabin, belt - 0.01, roof, half, paint)


def _ends(
    s: Solid, rear: float, front: float, belt: float, hood: float, half: float
) -> None:
    for sign in (-1, 1):
        x = sign * (half - 0.17)
        s.end((x - 0.15, belt - 0.36, x + 0.15, belt - 0.16), rear - 0.01, RED)
        s.end((x - 0.07, belt - 0.3, x + 0.1, belt - 0.2), rear - 0.012, (70, 80, 235))
        s.end(
            (x - 0.17, hood - 0.27, x + 0.15, hood - 0.12), front + 0.01, (90, 88, 86)
        )
        s.end(
            (x - 0.1, hood - 0.25, x + 0.1, hood - 0.14), front + 0.02, LAMP, glow=True
        )
    s.end((-0.26, 0.52, 0.26, 0.63), rear - 0.01, (214, 220, 220))
    s.end((-half * 0.94, 0.26, half * 0.94, 0.4), rear - 0.01, (46, 46, 46))
    s.end((-0.5, 0.5, 0.5, hood - 0.13), front + 0.01, (38, 38, 38))
    s.end((-0.25, 0.42, 0.25, 0.52), front + 0.02, (214, 220, 220))
    s.end((-half * 0.9, 0.25, half * 0.9, 0.38), front + 0.01, (44, 44, 44))


def _cabin(
    s: Solid, cabin: ArrayLike, belt: float, roof: float, half: float, paint: NDArray
) -> None:
    a, b, c, d = np.asarray(cabin, float)
    low, top = half * 0.94, half * (0.76 if roof < 1.9 else 0.9)
    outline = [(a, belt), (b, roof), (c, roof), (d, belt)]
    s.extrude(outline, [low, top, top, low], [paint, paint * 1.05, paint])
    for (z0, w0), (z1, w1) in (((a, low), (b, top)), ((d, low), (c, top))):
        flip = 1 if z0 > z1 else -1
        normal = (0, abs(z1 - z0), flip * (roof - belt))
        for start, tone in ((0.12, 1.0), (0.55, 1.5)):
            lo, hi = np.array([w0, belt, z0]), np.array([w1, roof, z1])
            p, q = lo + (hi - lo) * start, lo + (hi - lo) * 0.9
            quad = [
                p * (-0.88, 1, 1),
                p * (0.88, 1, 1),
                q * (0.88, 1, 1),
                q * (-0.88, 1, 1),
            ]
            if s.sees(p * (0, 1, 1), normal):
                pane = np.array(quad) + np.array([0, 0, flip * 0.01])
                s.face(pane, GLASS * tone, normal)
    for sign in (-1, 1):
        if not s.sees((sign * low, 0, 0), (sign, 0, 0)):
            continue
        normal = (sign, 0.25, 0)
        shell = np.array([(sign * low, belt, a), (sign * top, roof, b),
                          (sign * top, roof, c), (sign * low, belt, d)])  # fmt: skip
        s.face(shell, paint, normal)
        pane = shrink(shell, 0.84)
        s.face(pane, GLASS, normal)
        s.face(
            shrink(pane[[0, 1, 2, 3]] * (1, 1, 0.96) + (0, 0.07, 0), 0.8),
            GLASS * 1.4,
            normal,
        )
        for t in (0.36, 0.66) if s.fine else ():
            foot, head = (
                pane[0] * (1 - t) + pane[3] * t,
                pane[1] * (1 - t) + pane[2] * t,
            )
            wide = np.array([0, 0, 0.04])
            s.face([foot - wide, head - wide, head + wide, foot + wide], paint, normal)
