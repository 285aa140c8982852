"""The layout of a scene: the street, and what lines it on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from . import furniture
from .canvas import Canvas
from .ground import Street
from .town import House, house

FAR = 210.0  # metres; the last houses
Paint = Callable[[Canvas, np.random.Generator], None]


@dataclass
class Thing:
    """Something to draw, with its ground box (half width, half length) in metres."""

    z: float  # far things are drawn first
    paint: Paint
    u: float = 0.0
    box: tuple[float, float] = (0.0, 0.0)
    tall: float = 0.0
    middle: float | None = None  # z of the box's centre, when not the same


class Planner:
    """Chooses what stands where; all draws come from one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.things: list[Thing] = []
        self.street = self._street()
        self.crowns: list[NDArray[np.uint8]] = []

    def add(self, paint: Callable[..., None], u: float, z: float, *rest: object,
            box: tuple[float, float] = (0.25, 0.2), tall: float = 1.7, **more: object,
            ) -> None:  # fmt: skip
        """Queue paint(canvas, rng, u, z, *rest, **more), for when it is in sight."""

        def draw(canvas: Canvas, rng: np.random.Generator) -> None:
            camera = canvas.camera
            x, reach = camera.x_at(u, z), 6 + box[1]  # metres to either side
            left, right = (
                camera.centre + camera.focal * (x + r) / z for r in (-reach, reach)
            )
            if right > 0 and left < camera.width:
                paint(canvas, rng, *before, u, z, *rest, **more)

        before = (self.crowns,) if paint in (furniture.tree, furniture.bush) else ()
        self.things.append(Thing(z - box[1], draw, u, box, tall, z))

    def _street(self) -> Street:
        rng = self.rng
        lane = rng.uniform(3.0, 3.6)
        ahead, against = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        self.parked = [bool(rng.uniform() < 0.7) for _ in range(2)]  # left, right
        gap = rng.uniform(2.4, 4.5) if rng.uniform() < 0.22 else 0.0
        middle = -lane / 2
        self.lanes = [(i * lane, 0.0) for i in range(ahead)]
        self.lanes += [(-(i + 1) * lane - gap, np.pi) for i in range(against)]
        left = middle - gap - against * lane - 2.3 * self.parked[0] - 0.4
        right = middle + ahead * lane + 2.3 * self.parked[1] + 0.4
        verge = [float(rng.choice([0, 1.3, 2.2], p=[0.5, 0.3, 0.2])) for _ in range(2)]
        walk = [v + rng.uniform(2.6, 4.8) for v in verge]
        street = Street(left, right, (verge[0], verge[1]), (walk[0], walk[1]))
        street.dashes = [middle + i * lane for i in range(1, ahead)]
        street.dashes += [middle - gap - i * lane for i in range(1, against)]
        (street.solids if rng.uniform() < 0.3 else street.dashes).append(middle)
        if gap:
            street.median = (middle - gap + 0.1, middle - 0.1)
            street.solids += [middle - gap - 0.2, middle + 0.25]
        if self.parked[1]:
            street.solids.append(middle + ahead * lane)
        street.rails = (
            float(rng.choice(self.lanes)[0]) if rng.uniform() < 0.18 else None
        )
        street.crossing = rng.uniform(8, 26) if rng.uniform() < 0.55 else None
        street.flags = rng.uniform(0.4, 0.9)
        for side in (-1, 1):
            if rng.uniform() < 0.5:
                z = rng.uniform(24, 60) if rng.uniform() < 0.7 else rng.uniform(14, 24)
                street.arms.append((side, z, z + rng.uniform(6, 9)))
        return street

    def in_arm(self, side: float, z0: float, z1: float) -> bool:
        """Whether a stretch of one side runs over a side street."""
        return any(
            s == side and z1 > a - 1 and z0 < b + 1 for s, a, b in self.street.arms
        )

    def sides(self) -> None:
        """Houses, parks, walls and fences along both sides up to FAR."""
        rng, street = self.rng, self.street
        mood = rng.choice(['plaster', 'brick', 'concrete'])
        green = rng.uniform(0.05, 0.4)
        for side, kerb in ((-1, street.left), (1, street.right)):
            front = kerb + side * street.walk[side > 0]
            z, hidden = rng.uniform(-14, 2), 0.0
            while z < FAR:
                arm = [
                    a
                    for a in street.arms
                    if a[0] == side and z < a[2] + 2.7 and z > a[1] - 9
                ]
                if arm:
                    z, hidden = arm[0][2] + 2.8, 0.0
                    continue
                stop = min(
                    [a[1] - 2.8 for a in street.arms if a[0] == side and a[1] > z]
                    + [FAR + 30]
                )
                end = min(z + rng.uniform(9, 24), stop)
                if rng.uniform() < green and z > -1:
                    self._park(side, front, z, end)
                    hidden = 0.0
                else:
                    hidden = self._house(side, front, z, end, mood, hidden)
                z = end + 0.02

    def _house(
        self, side: int, front: float, z0: float, z1: float, mood: str, hidden: float
    ) -> float:
        """Add a house behind one `hidden` metres tall; returns what it hides itself."""
        rng = self.rng
        style = (
            mood
            if rng.uniform() < 0.6
            else rng.choice(['plaster', 'brick', 'concrete', 'glass'])
        )
        high = rng.uniform(7, 15) if rng.uniform() < 0.75 else rng.uniform(14, 26)
        roof = (
            rng.uniform(3, 5.5)
            if style in ('plaster', 'brick') and rng.uniform() < 0.8
            else 0
        )
        back = rng.uniform(0.5, 2.5) if rng.uniform() < 0.15 else 0.0
        plan = House(
            front + side * back,
            z0,
            z1,
            high,
            rng.uniform(9, 12),
            str(style),
            roof,
            high + roof > hidden,
        )
        if z1 > 5:
            u, box = plan.u + side * plan.deep / 2, (plan.deep / 2, (z1 - z0) / 2)
            paint = partial(_later, house, plan)
            self.things.append(Thing(z1, paint, u, box, high, (z0 + z1) / 2))
        return 0.0 if back else high

    def _park(self, side: int, front: float, z0: float, z1: float) -> None:
        rng = self.rng
        self.street.parks.append((side, z0, z1))
        for _ in range(int(rng.integers(3, 8))):
            z, u = rng.uniform(z0 + 1, z1), front + side * rng.uniform(2, 14)
            self.add(
                furniture.tree, u, max(z, 6), rng.uniform(6, 13), box=(2, 2), tall=8
            )
            self.things[-1].z = z1 + 0.01 + z * 1e-4
        for z in np.arange(z0 + 1, z1, 2.0):
            self.add(
                furniture.bush,
                front + side * rng.uniform(14, 18),
                max(z, 5),
                rng.uniform(2, 6),
            )
            self.things[-1].z = z1 + 0.05
        kind = rng.uniform()
        if kind < 0.7:
            paint = partial(
                furniture.barrier,
                u=front + side * 0.3,
                z0=z0,
                z1=z1,
                kind=furniture.WALL if kind < 0.35 else furniture.FENCE,
            )
            self.things.append(Thing(z1, paint))
        else:
            for z in np.arange(max(z0, 4), z1, 1.1)[::-1]:
                self.add(furniture.bush, front + side * 0.9, z, rng.uniform(1.0, 1.5))
                self.things[-1].z = z1 + 0.001 * (z - z0) / 30


def _later(
    paint: Callable[..., None], plan: House, canvas: Canvas, rng: np.random.Generator
) -> None:
    paint(canvas, rng, plan)
