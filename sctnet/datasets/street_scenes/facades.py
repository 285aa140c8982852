"""Facade textures with windows, doors, shops and homes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .people import PAINTS, pick
from .texture import noise

PLASTER = [(196, 212, 222), (178, 200, 214), (160, 190, 216), (190, 196, 200)]
PLASTER += [(150, 178, 206), (206, 206, 200), (150, 162, 190), (170, 196, 190)]
BRICK = [(74, 88, 142), (86, 106, 158), (70, 78, 116), (110, 134, 170)]
CONCRETE = [(150, 156, 160), (128, 130, 132), (176, 178, 178)]
TILES = [(58, 62, 112), (66, 66, 84), (78, 74, 74), (60, 76, 128)]
AWNINGS = [(52, 44, 160), (60, 96, 50), (140, 84, 40), (210, 214, 216), (40, 160, 220)]


class Front:
    """A facade texture in metres: x from the near end, y up from the ground."""

    def __init__(
        self, rng: np.random.Generator, wide: float, high: float, px: float, py: float,
        style: str,
    ) -> None:  # fmt: skip
        self.rng, self.wide, self.high, self.px, self.py = rng, wide, high, px, py
        self.style = style
        h, w = max(6, round(high * py)), max(6, round(wide * px))
        paints = {'plaster': PLASTER, 'brick': BRICK}.get(style, CONCRETE)
        self.paint = pick(rng, paints)
        small = noise(rng, max(4, h // 3), max(4, w // 3), 4, 4)
        tone = 1 + 0.045 * cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
        tone += 0.02 * rng.standard_normal((h, w), dtype=np.float32)
        if style == 'brick':
            course = max(2, round(0.16 * py))
            fade = float(np.clip(py / 30, 0.15, 1))
            tone[::course] *= 1 + 0.22 * fade
            tone += fade * 0.07 * np.repeat(rng.standard_normal((h // course + 1, w)),
                                            course, axis=0)[:h]  # fmt: skip
        tone *= np.linspace(1.03, 0.94, h, dtype=np.float32)[:, None]  # street dirt
        body = tone[..., None] * self.paint.astype(np.float32)
        self.texture = np.clip(body, 0, 255).astype(np.uint8)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: NDArray) -> None:
        """Fill a rectangle; at least one pixel."""
        a, b = round(x0 * self.px), round((self.high - y1) * self.py)
        c, d = round(x1 * self.px), round((self.high - y0) * self.py)
        self.texture[max(b, 0) : max(d, b + 1, 0), max(a, 0) : max(c, a + 1, 0)] = (
            np.minimum(colour, 255)
        )

    def window(
        self, x: float, y: float, wide: float, high: float, frame: NDArray
    ) -> None:
        """A window with frame, sill, two-tone glass and sometimes a curtain."""
        dark = self.rng.uniform(0.6, 1.5)
        glass = np.array((74.0, 64, 54)) * dark
        self.box(x - 0.1, y - 0.12, x + wide + 0.1, y + high + 0.1, self.paint * 0.78)
        self.box(x, y, x + wide, y + high, frame)
        self.box(x + 0.07, y + 0.07, x + wide - 0.07, y + high - 0.07, glass)
        lift = y + high * self.rng.uniform(0.35, 0.7)
        top = y + high - 0.07
        self.box(x + 0.07, lift, x + wide - 0.07, top, glass * 1.35 + (22, 16, 10))
        kind = self.rng.uniform()
        if kind < 0.22:  # blind
            low = y + high * self.rng.uniform(0.3, 0.8)
            self.box(x + 0.07, low, x + wide - 0.07, top, np.array((178.0, 188, 192)))
        elif kind < 0.4:  # curtain
            cloth = np.array((190.0, 198, 200)) * self.rng.uniform(0.6, 1)
            self.box(x + 0.07, y + 0.07, x + wide * 0.28, top, cloth)
            self.box(x + wide * 0.72, y + 0.07, x + wide - 0.07, top, cloth)
        middle = x + wide / 2
        self.box(middle - 0.035, y, middle + 0.035, y + high, frame)
        self.box(x - 0.12, y - 0.12, x + wide + 0.12, y - 0.02, self.paint * 1.15)

    def floors(self, foot: float) -> None:
        """Rows of windows from height `foot` up to the eaves."""
        rng = self.rng
        storey, bay = rng.uniform(2.8, 3.5), rng.uniform(2.0, 3.2)
        wide, high = bay * rng.uniform(0.4, 0.6), storey * rng.uniform(0.48, 0.62)
        if self.style == 'glass':
            wide, high = bay * 0.92, storey * rng.uniform(0.6, 0.85)
        frame = pick(rng, [(226, 228, 228), (70, 66, 64), (60, 84, 120)])
        number = max(1, int(self.wide / bay))
        margin = (self.wide - number * bay + bay - wide) / 2
        balcony = rng.uniform() < 0.25
        for y in np.arange(foot + 0.75, self.high - high - 0.3, storey):
            if self.style != 'glass' and rng.uniform() < 0.6:
                self.box(0, y - 0.62, self.wide, y - 0.5, self.paint * 1.12)
            for i in range(number):
                x = margin + i * bay
                self.window(x, y, wide, high, frame)
                if balcony and i % 2 and y > foot + 2:
                    self.box(x - 0.3, y - 0.45, x + wide + 0.3, y + 0.5, frame * 0.55)
                    self.box(
                        x - 0.4, y - 0.55, x + wide + 0.4, y - 0.4, self.paint * 0.7
                    )
        self.box(0, self.high - 0.35, self.wide, self.high, self.paint * 1.14)
        self.box(0, self.high - 0.5, self.wide, self.high - 0.35, self.paint * 0.66)

    def shops(self, high: float) -> None:
        """A ground floor with shop windows, doors, sign boards and awnings."""
        rng, x = self.rng, 0.4
        base = self.paint * rng.uniform(0.6, 0.95)
        self.box(0, 0, self.wide, high, base)
        while x < self.wide - 2:
            wide = min(rng.uniform(3, 6), self.wide - 0.4 - x)
            brand = pick(rng, PAINTS + AWNINGS)
            self.box(x, 0.45, x + wide - 0.3, high - 0.9, np.array((58.0, 54, 50)))
            for _ in range(5):  # goods and reflections
                a = x + rng.uniform(0.1, max(wide - 1.2, 0.2))
                goods = rng.uniform(40, 190, 3)
                self.box(a, 0.6, a + rng.uniform(0.3, 0.8), rng.uniform(1, 2.2), goods)
            self.box(x, 2.1, x + wide - 0.3, 2.16, np.array((150.0, 150, 150)))
            self.box(x + 0.1, high - 0.85, x + wide - 0.4, high - 0.2, brand)
            ink = np.array((235.0, 235, 235)) if brand.mean() < 130 else brand * 0.25
            for a in np.arange(x + 0.5, x + wide - 1.2, 0.42):  # lettering
                self.box(a, high - 0.68, a + 0.26, high - 0.38, ink)
            if rng.uniform() < 0.35:
                cloth = pick(rng, AWNINGS)
                for k, a in enumerate(np.arange(x, x + wide - 0.5, 0.45)):
                    tone = cloth if k % 2 else np.array((228.0, 228, 228))
                    self.box(a, high - 1.6, a + 0.45, high - 0.85, tone)
            door = x + wide - 1.3
            self.box(door, 0, door + 0.95, 2.3, brand * 0.5)
            self.box(door + 0.14, 0.5, door + 0.81, 2.15, np.array((96.0, 88, 80)))
            x += wide
        self.box(0, high - 0.12, self.wide, high + 0.06, self.paint * 1.15)

    def homes(self) -> None:
        """A ground floor with a plinth, a door and windows."""
        self.box(0, 0, self.wide, 0.6, self.paint * 0.62)
        door = self.rng.uniform(1, max(1.2, self.wide - 2.5))
        self.box(door - 0.12, 0, door + 1.22, 2.62, self.paint * 1.12)
        self.box(door, 0, door + 1.1, 2.5, pick(self.rng, PAINTS + TILES) * 0.8)
        frame = np.array((222.0, 224, 224))
        for x in np.arange(0.8, self.wide - 1.6, 2.6):
            if abs(x - door) > 1.7:
                self.window(x, 0.95, 1.2, 1.5, frame)
