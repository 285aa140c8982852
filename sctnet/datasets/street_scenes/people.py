"""People and two-wheelers: flat jointed figures in metres, placed by (u, z)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .canvas import Canvas, Colour

PERSON, RIDER, MOTORCYCLE, BICYCLE = 11, 12, 17, 18

CLOTHES = [(40, 36, 34), (92, 56, 34), (60, 60, 150), (150, 140, 130), (50, 90, 60)]
CLOTHES += [(58, 52, 60), (205, 205, 200), (120, 80, 50), (70, 130, 190), (35, 30, 90)]
TROUSERS = [(44, 38, 34), (96, 66, 44), (70, 66, 62), (60, 80, 100), (120, 104, 90)]
SKINS = [(150, 180, 225), (125, 155, 205), (70, 100, 150), (50, 70, 105)]
HAIRS = [(28, 32, 40), (40, 60, 92), (80, 130, 170), (130, 135, 140)]
PAINTS = [
    (198, 200, 200),
    (42, 40, 40),
    (120, 118, 116),
    (160, 158, 154),
    (40, 36, 130),
]
PAINTS += [(120, 62, 30), (222, 222, 220), (66, 54, 48), (40, 70, 44), (60, 150, 200)]


class Figure:
    """A flat figure that stands upright on the ground and faces the camera."""

    def __init__(
        self, canvas: Canvas, u: float, z: float, label: int, squeeze: float = 1.0
    ) -> None:
        self.canvas, self.label, self.z = canvas, label, z
        self.x = canvas.camera.x_at(u, z)
        self.squeeze = squeeze
        self.tall = 1.0  # factor on all heights and widths
        self.scale = canvas.camera.focal / z
        self.shade = canvas.light.shade()

    def pixels(self, points: ArrayLike) -> NDArray[np.float64]:
        """(N, 2) of x right, y up in metres to (N, 2) image points."""
        p = np.asarray(points, np.float64) * self.tall
        depth = np.full(len(p), self.z)
        world = np.stack([self.x + p[:, 0] * self.squeeze, p[:, 1], depth], axis=1)
        return self.canvas.camera.project(world)

    def shape(
        self, points: ArrayLike, colour: Colour, label: int | None = None
    ) -> None:
        """Fill a polygon (N, 2) in metres; without a label with the figure's own."""
        lit = np.asarray(colour, float) * self.shade
        use = self.label if label is None else label
        self.canvas.polygon(self.pixels(points), lit, use, self.z)

    def limb(
        self, a: ArrayLike, b: ArrayLike, wide: tuple[float, float], colour: Colour
    ) -> None:
        """A tapered capsule from a to b with widths in metres at both ends."""
        ends = self.pixels(np.stack([np.asarray(a), np.asarray(b)]))
        along = ends[1] - ends[0]
        turn = np.arctan2(along[1], along[0])
        arc = turn + np.pi / 2 + np.linspace(0, np.pi, 6)
        unit = np.stack([np.cos(arc), np.sin(arc)], axis=1) * self.scale / 2
        outline = np.concatenate([ends[0] + unit * wide[0], ends[1] - unit * wide[1]])
        lit = np.asarray(colour, float) * self.shade
        self.canvas.polygon(outline, lit, self.label, self.z)
        if self.scale < 25:
            return
        side = np.sign(self.canvas.light.sun[0]) * 0.12 * self.scale
        centre = outline.mean(axis=0)
        ridge = centre + (outline - centre) * (0.45, 0.9) + (side * wide[0], 0)
        self.canvas.polygon(ridge, np.minimum(lit * 1.14 + 4, 255), None, self.z)

    def line(self, points: ArrayLike, wide: float, colour: Colour) -> None:
        """Draw an open line (N, 2), `wide` metres thick."""
        lit = np.asarray(colour, float) * self.shade
        spot = self.pixels(points)
        self.canvas.stroke(spot, wide * self.scale, lit, self.label, self.z)

    def disc(
        self,
        centre: tuple[float, float],
        radius: float,
        colour: Colour,
        tall: float = 1,
    ) -> None:
        """Fill an ellipse that is `tall` times as high as wide."""
        self.shape(circle(centre, radius, tall), colour)


def circle(
    centre: tuple[float, float], radius: float, tall: float = 1, corners: int = 20
) -> NDArray[np.float64]:
    """Points (corners, 2) on an ellipse."""
    t = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(t), np.sin(t) * tall], axis=1) * radius + centre


def pick(rng: np.random.Generator, colours: list[tuple[int, int, int]]) -> NDArray:
    """One of the colours, slightly varied."""
    return np.array(colours[rng.integers(len(colours))], float) * rng.uniform(0.8, 1.2)


def _head(f: Figure, rng: np.random.Generator, x: float, y: float, way: float) -> None:
    skin = pick(rng, SKINS)
    f.limb((x * 0.8, y - 0.2), (x, y), (0.11, 0.11), skin * 0.85)
    f.disc((x, y), 0.105, skin, 1.25)
    hair = circle((x - 0.02 * way, y + 0.035), 0.115, 1.1)
    if rng.uniform() < 0.5:  # back of the head, or long hair
        f.shape(hair, pick(rng, HAIRS))
    else:
        f.shape(hair[hair[:, 1] > y + 0.02 + 0.3 * (hair[:, 0] - x) * way], HAIRS[0])


def person(canvas: Canvas, rng: np.random.Generator, u: float, z: float) -> None:
    """A walking or standing person with head, torso, arms and two-part legs."""
    f = Figure(canvas, u, z, PERSON)
    tall = rng.uniform(0.9, 1.08) * (0.68 if rng.uniform() < 0.1 else 1)
    f.scale *= tall
    f.tall = tall
    top, legs = pick(rng, CLOTHES), pick(rng, TROUSERS)
    way = 1.0 if rng.uniform() < 0.5 else -1.0
    side_on = rng.uniform() < 0.55
    swing = rng.uniform(0.12, 0.5) if side_on else rng.uniform(0.0, 0.12)
    apart = 0.03 if side_on else 0.09
    for s, dim in ((-1, 0.75), (1, 1.0)):
        hip = np.array([s * apart, 0.9])
        knee = hip + 0.43 * np.array([np.sin(s * swing) * way, -np.cos(swing)])
        back = s * swing - (0.45 if s < 0 else 0.05) * (swing + 0.05)
        foot = knee + 0.43 * np.array([np.sin(back) * way, -np.cos(back)])
        f.limb(hip, knee, (0.19, 0.14), legs * dim)
        f.limb(knee, foot, (0.14, 0.1), legs * dim)
        toe = (0.14 if side_on else 0.03) * way
        tip = foot + np.array([toe, -0.02])
        f.limb(foot, tip, (0.09, 0.08), (34 * dim, 32 * dim, 36 * dim))
    half = 0.15 if side_on else 0.21
    arms = [(s, s * (0.04 if side_on else half + 0.02)) for s in (-1, 1)]
    for s, x in arms[:1] if side_on else arms:
        elbow = (x - s * way * swing * 0.35 + (0 if side_on else 0.04 * s), 1.14)
        f.limb((x, 1.4), elbow, (0.12, 0.1), top * 0.82)
        f.limb(elbow, (elbow[0] + 0.06 * way, 0.92), (0.1, 0.08), top * 0.82)
    hem = 0.62 if rng.uniform() < 0.3 else 0.84
    f.shape([(-half, 1.4), (-half * 0.7, 1.48), (half * 0.7, 1.48), (half, 1.4),
             (half * 0.95, 1.1), (half * 1.0, hem), (-half * 1.0, hem),
             (-half * 0.95, 1.1)], top)  # fmt: skip
    lit = np.sign(canvas.light.sun[0])
    f.shape([(0, 1.46), (lit * half * 0.8, 1.42), (lit * half * 0.85, hem + 0.02),
             (0, hem + 0.02)], np.minimum(top * 1.13 + 3, 255))  # fmt: skip
    if side_on:
        if rng.uniform() < 0.3:
            f.limb(
                (-0.2 * way, 1.35), (-0.2 * way, 1.08), (0.2, 0.22), pick(rng, PAINTS)
            )
        elbow = (way * swing * 0.4, 1.13)
        f.limb((0, 1.39), elbow, (0.13, 0.1), top * 0.92)
        f.limb(elbow, (elbow[0] + 0.1 * way, 0.94), (0.1, 0.08), top * 0.92)
    _head(f, rng, 0.03 * way, 1.64, way)


def _bicycle(f: Figure, rng: np.random.Generator, way: float) -> None:
    frame, dark = pick(rng, PAINTS), (30, 30, 32)
    for x in (-0.52, 0.52):
        wheel = circle((x * way, 0.34), 0.33, corners=28)
        f.line(np.concatenate([wheel, wheel[:2]]), 0.06, dark)
        if f.scale > 45:
            f.line([wheel[3], wheel[17]], 0.008, (130, 130, 130))
            f.line([wheel[10], wheel[24]], 0.008, (130, 130, 130))
    hub, seat, bar, crank = (-0.52, 0.34), (-0.2, 0.92), (0.36, 0.98), (-0.03, 0.31)
    joints = [hub, seat, crank, hub, crank, (0.33, 0.82), (-0.17, 0.8)]
    f.line([(x * way, y) for x, y in joints], 0.05, frame)
    f.line([(0.52 * way, 0.34), (bar[0] * way, bar[1])], 0.05, frame)
    f.line([(0.3 * way, 1.03), (0.48 * way, 1.0)], 0.05, dark)
    f.line([(-0.3 * way, 0.94), (-0.08 * way, 0.95)], 0.08, dark)


def _motorcycle(f: Figure, rng: np.random.Generator, way: float) -> None:
    paint = pick(rng, PAINTS)
    for x in (-0.68, 0.68):
        f.disc((x * way, 0.32), 0.32, (28, 28, 30))
        f.disc((x * way, 0.32), 0.15, (120, 120, 122))
    hull = [(-0.95, 0.82), (-0.2, 0.72), (0.1, 0.98), (0.5, 0.92), (0.62, 0.55)]
    hull += [(0.25, 0.28), (-0.35, 0.3), (-0.55, 0.6)]
    f.shape([(x * way, y) for x, y in hull], paint)
    f.shape([(x * way, y) for x, y in [(-0.9, 0.88), (0.0, 0.8), (0.02, 0.7),
            (-0.8, 0.74)]], (30, 30, 30))  # fmt: skip
    f.line(
        [(0.7 * way, 0.34), (0.45 * way, 1.1), (0.3 * way, 1.12)], 0.07, (60, 60, 60)
    )


def two_wheeler(
    canvas: Canvas,
    rng: np.random.Generator,
    u: float,
    z: float,
    squeeze: float = 1.0,
    ridden: bool = True,
    motor: bool = False,
) -> None:
    """A bicycle or motorcycle; `squeeze` < 1 turns it away from the side view."""
    f = Figure(canvas, u, z, MOTORCYCLE if motor else BICYCLE, squeeze)
    way = 1.0 if rng.uniform() < 0.5 else -1.0
    (_motorcycle if motor else _bicycle)(f, rng, way)
    if not ridden:
        return
    f.label = RIDER
    top, legs = pick(rng, CLOTHES), pick(rng, TROUSERS)
    hip, neck, hand = (-0.2 * way, 1.0), (0.14 * way, 1.47), (0.4 * way, 1.04)
    turn = rng.uniform(0, np.pi)
    for s, dim in ((1, 0.75), (-1, 1.0)):
        pedal = np.array(
            [-0.03 + s * 0.16 * np.cos(turn), 0.33 + s * 0.16 * np.sin(turn)]
        )
        spread = s * 0.1 * (1 - squeeze) / max(squeeze, 0.2)
        knee = ((pedal[0] * 0.5 + 0.2) * way + spread, 0.5 * pedal[1] + 0.52)
        f.limb((hip[0] + spread, hip[1]), knee, (0.19, 0.14), legs * dim)
        f.limb(knee, (pedal[0] * way + spread, pedal[1]), (0.14, 0.1), legs * dim)
        f.limb((pedal[0] * way + spread, pedal[1]), ((pedal[0] + 0.12) * way + spread,
               pedal[1] - 0.02), (0.08, 0.07), (40, 40, 44))  # fmt: skip
    f.limb(hip, neck, (0.3, 0.27 + 0.12 * (1 - squeeze)), top)
    f.limb((neck[0], 1.42), (0.24 * way, 1.18), (0.13, 0.1), top * 0.88)
    f.limb((0.24 * way, 1.18), hand, (0.1, 0.08), top * 0.88)
    f.squeeze, x = 1.0, 0.24 * way * squeeze  # a head is as wide from all sides
    _head(f, rng, x, 1.7, way)
    if motor or rng.uniform() < 0.45:
        helmet = circle((x, 1.74), 0.135, 1.05)
        f.shape(helmet[helmet[:, 1] > 1.7], pick(rng, PAINTS))
