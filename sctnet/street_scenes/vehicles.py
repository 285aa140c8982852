"""Cars, vans, buses, trucks and trams: small solids in perspective with windows,
wheels and lights.  Local axes in metres: x right, y up, z ahead of the vehicle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import Canvas, Colour
from .people import PAINTS, circle, pick

CAR, TRUCK, BUS, TRAIN = 13, 14, 15, 16
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
        if self.sees((x, 0, 0), (np.sign(x), 0, 0)):
            points = np.stack([np.full(len(o), x), o[:, 1], o[:, 0]], axis=1)
            self.face(points, colour, (np.sign(x), 0.25, 0))

    def end(
        self, box: tuple[float, float, float, float], z: float, colour: Colour,
        glow: bool = False,
    ) -> None:  # fmt: skip
        """Fill x0, y0, x1, y1 on the front (z > 0) or rear plane, if visible."""
        x0, y0, x1, y1 = box
        normal = (0, 0.25, np.sign(z))
        if self.sees((0, 0, z), (0, 0, np.sign(z))):
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
        spot = (z, radius)
        self.side(circle((z, radius + 0.03), radius * 1.16), x, (24, 24, 25))
        self.side(circle(spot, radius), x, TYRE)
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
    rear, front, belt, hood, cabin, roof = SHAPES[rng.choice(5, p=[0.28, 0.26, 0.18, 0.12, 0.16])]
    s, paint, half = Solid(canvas, u, z, heading, CAR), pick(rng, PAINTS), 0.89
    body = [(rear + 0.08, 0.24), (rear, 0.5), (rear + 0.05, belt - 0.15),
            (rear + 0.22, belt), (cabin[3], belt), (front - 0.4, hood),
            (front - 0.06, hood - 0.16), (front, 0.5), (front - 0.08, 0.24)]  # fmt: skip
    for x in (-half + 0.12, half - 0.12):  # tyres below the bumpers
        for end in (rear + 0.5, front - 0.5):
            s.end((x - 0.11, 0.0, x + 0.11, 0.35), end, TYRE)
    s.end((-half, 0.16, half, 0.3), rear + 0.3, (28, 28, 28))
    s.end((-half, 0.16, half, 0.3), front - 0.3, (28, 28, 28))
    width = half * np.array([0.93, 1, 1, 0.96, 0.96, 0.95, 0.97, 1, 0.93])
    dark = paint * 0.62
    s.extrude(body, width, [dark, paint, paint, paint, paint * 1.05, paint, paint, dark])
    for x in (-half, half):
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
        s.end((x - 0.17, hood - 0.27, x + 0.15, hood - 0.12), front + 0.01, (90, 88, 86))
        s.end((x - 0.1, hood - 0.25, x + 0.1, hood - 0.14), front + 0.02, LAMP, glow=True)
    s.end((-0.26, 0.52, 0.26, 0.63), rear - 0.01, (214, 220, 220))
    s.end((-half * 0.94, 0.26, half * 0.94, 0.4), rear - 0.01, (46, 46, 46))
    s.end((-0.5, 0.5, 0.5, hood - 0.13), front + 0.01, (38, 38, 38))
    s.end((-0.25, 0.42, 0.25, 0.52), front + 0.02, (214, 220, 220))
    s.end((-half * 0.9, 0.25, half * 0.9, 0.38), front + 0.01, (44, 44, 44))


def _cabin(
    s: Solid, cabin: ArrayLike, belt: float, roof: float, half: float, paint: Colour
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
            quad = [p * (-0.88, 1, 1), p * (0.88, 1, 1), q * (0.88, 1, 1), q * (-0.88, 1, 1)]
            if s.sees(p * (0, 1, 1), normal):
                s.face(np.array(quad) + (0, 0, flip * 0.01), GLASS * tone, normal)
    for sign in (-1, 1):
        if not s.sees((sign * low, 0, 0), (sign, 0, 0)):
            continue
        normal = (sign, 0.25, 0)
        shell = np.array([(sign * low, belt, a), (sign * top, roof, b),
                          (sign * top, roof, c), (sign * low, belt, d)])  # fmt: skip
        s.face(shell, paint, normal)
        pane = shrink(shell, 0.84)
        s.face(pane, GLASS, normal)
        s.face(shrink(pane[[0, 1, 2, 3]] * (1, 1, 0.96) + (0, 0.07, 0), 0.8), GLASS * 1.4, normal)
        for t in (0.36, 0.66):
            foot, head = pane[0] * (1 - t) + pane[3] * t, pane[1] * (1 - t) + pane[2] * t
            wide = np.array([0, 0, 0.04])
            s.face([foot - wide, head - wide, head + wide, foot + wide], paint, normal)


def _box(
    s: Solid, z0: float, z1: float, low: float, high: float, half: float, paint: Colour
) -> None:
    profile = [(z0, low), (z0, high), (z1, high), (z1, low)]
    tone = np.asarray(paint, float)
    s.extrude(profile, [half] * 4, [tone, tone * 1.05, tone])
    for x in (-half, half):
        s.side(profile, x, tone)


def coach(
    canvas: Canvas, rng: np.random.Generator, u: float, z: float, heading: float = 0.0,
    label: int = BUS,
) -> None:  # fmt: skip
    """A city bus (label 15) or a tram car (label 16), with rows of windows."""
    s = Solid(canvas, u, z, heading, label)
    long, high = (5.9, 3.05) if label == BUS else (11.0, 3.4)
    half, paint = 1.25, pick(rng, PAINTS[3:] + [(40, 190, 230), (50, 50, 200)])
    trim = pick(rng, [(230, 230, 228), (60, 60, 60)])
    s.end((-half + 0.05, 0, half - 0.05, 0.5), -long + 0.5, (24, 24, 24))
    s.end((-half + 0.05, 0, half - 0.05, 0.5), long - 0.5, (24, 24, 24))
    _box(s, -long, long, 0.32, high, half, paint)
    for x in (-half, half):
        s.side([(-long, 0.32), (-long, 0.8), (long, 0.8), (long, 0.32)], x, trim)
        s.side([(-long + 0.3, 1.3), (-long + 0.3, 2.5), (long - 0.1, 2.5),
                (long - 0.1, 1.3)], x, GLASS)  # fmt: skip
        for p in np.arange(-long + 0.3, long - 0.6, 1.45):
            s.side([(p + 0.1, 1.9), (p + 0.1, 2.45), (p + 1.3, 2.45), (p + 1.3, 2.1)],
                   x, GLASS * 1.5)  # fmt: skip
            s.side([(p - 0.04, 1.3), (p - 0.04, 2.5), (p + 0.04, 2.5), (p + 0.04, 1.3)],
                   x, paint * 0.6)  # fmt: skip
        for p in (-long + 2.4, long - 2.6):
            if label == BUS:
                s.wheel(p, 0.48, x)
    for z_end, low in ((-long - 0.01, 1.5), (long + 0.01, 0.95)):
        s.end((-half + 0.12, low, half - 0.12, 2.5), z_end, GLASS)
        s.end((-half + 0.3, 1.95, half - 0.5, 2.4), z_end * 1.0005, GLASS * 1.5)
        s.end((-half + 0.3, 2.58, half - 0.3, 2.92), z_end, (30, 28, 26))
        s.end((-0.7, 2.66, 0.55, 2.84), z_end * 1.0005, (40, 170, 250), glow=True)
        lamp = RED if z_end < 0 else LAMP
        for x in (-half + 0.22, half - 0.22):
            s.end((x - 0.13, 0.6, x + 0.13, 0.85), z_end * 1.001, lamp, glow=z_end > 0)
    s.end((-0.27, 0.5, 0.27, 0.62), -long - 0.02, (214, 220, 220))


def truck(
    canvas: Canvas, rng: np.random.Generator, u: float, z: float, heading: float = 0.0
) -> None:
    """A lorry with a cab and a box body."""
    s = Solid(canvas, u, z, heading, TRUCK)
    long, half = rng.uniform(3.2, 4.4), 1.23
    paint, load = pick(rng, PAINTS), pick(rng, [*PAINTS[:1], (225, 226, 228), *PAINTS[6:]])
    s.end((-half + 0.1, 0, half - 0.1, 0.7), -long + 0.3, (26, 26, 26))
    s.end((-half + 0.1, 0, half - 0.1, 0.6), long - 0.4, (26, 26, 26))

    def cab() -> None:
        _box(s, long - 1.9, long, 0.45, 2.75, half, paint)
        s.end((-half + 0.12, 1.5, half - 0.12, 2.5), long + 0.01, GLASS)
        s.end((-half + 0.3, 2.0, half - 0.4, 2.42), long + 0.02, GLASS * 1.5)
        s.end((-0.8, 0.85, 0.8, 1.3), long + 0.01, (40, 40, 40))
        for x in (-half, half):
            s.side([(long - 1.2, 1.5), (long - 1.2, 2.4), (long - 0.2, 2.4),
                    (long - 0.1, 1.5)], x, GLASS)  # fmt: skip
            lamp = x * 0.8
            s.end((lamp - 0.16, 0.55, lamp + 0.16, 0.8), long + 0.01, LAMP, glow=True)

    def cargo() -> None:
        for x in (-half + 0.05, half - 0.05):
            s.side([(-long, 0.5), (-long, 1), (long - 2, 1), (long - 2, 0.5)], x, (40, 40, 40))
        _box(s, -long, long - 2.05, 0.95, 3.5, half + 0.02, load)
        s.end((-0.02, 1.0, 0.02, 3.45), -long - 0.01, load * 0.55)
        s.end((-half, 0.55, half, 0.75), -long - 0.01, (60, 60, 66))
        for x in (-half, half):
            band = [(-long + 0.5, 1.7), (-long + 0.5, 2.6), (long - 2.6, 2.6)]
            s.side([*band, (long - 2.6, 1.7)], x * 1.02, paint)
            s.end((x * 0.82 - 0.15, 0.56, x * 0.82 + 0.15, 0.74), -long - 0.02, RED)

    for part in (cab, cargo) if s.eye[2] < 0 else (cargo, cab):
        part()
    for x in (-half, half):
        for p in (-long + 1.1, long - 1.0):
            s.wheel(p, 0.48, x)
