"""Buses, trams and lorries."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Colour
from .people import PAINTS, pick
from .vehicles import GLASS, LAMP, RED, Solid

TRUCK, BUS, TRAIN = 14, 15, 16


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
    half, paint = 1.25, pick(rng, [*PAINTS[3:], (40, 190, 230), (50, 50, 200)])
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
    paint, load = (
        pick(rng, PAINTS),
        pick(rng, [*PAINTS[:1], (225, 226, 228), *PAINTS[6:]]),
    )
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
            s.side(
                [(-long, 0.5), (-long, 1), (long - 2, 1), (long - 2, 0.5)],
                x,
                (40, 40, 40),
            )
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
