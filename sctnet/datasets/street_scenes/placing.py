"""Placing furniture, people and vehicles along a planned street."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import furniture, people, vehicles
from . import heavy_vehicles as heavy
from .street_layout import Planner


def roadside(plan: Planner) -> None:
    """Trees, lamps, poles, signs and traffic lights on the pavements."""
    rng, street = plan.rng, plan.street
    state = int(rng.choice([0, 1, 2], p=[0.4, 0.15, 0.45]))
    stop = street.crossing or rng.uniform(24, 48)
    signals = street.crossing is not None or rng.uniform() < 0.6
    for side, kerb in ((-1, street.left), (1, street.right)):
        edge = kerb + side * 0.65
        if rng.uniform() < 0.65:
            step, high = rng.uniform(8, 14), rng.uniform(6, 11)
            for z in np.arange(rng.uniform(7, 16), 120, step):
                if not plan.in_arm(side, z, z) and abs(z - stop) > 3:
                    u = kerb + side * max(0.9, street.verge[side > 0] / 2 + 0.3)
                    tall = high * rng.uniform(0.8, 1.2)
                    plan.add(furniture.tree, u, z, tall, box=(1.6, 0), tall=tall * 0.8)
        for z in np.arange(rng.uniform(8, 22), 110, rng.uniform(20, 30)):
            if not plan.in_arm(side, z, z):
                plan.add(furniture.lamp, edge, z, -side, box=(0.1, 0), tall=7)
        for _ in range(int(rng.integers(2, 5))):
            z = 7 + 45 * rng.uniform() ** 1.5
            if not plan.in_arm(side, z, z):
                plan.add(furniture.sign, edge, z, box=(0.1, 0), tall=2.8)
        for z in rng.uniform(8, 60, int(rng.integers(0, 4))):
            if not plan.in_arm(side, z, z):
                plan.add(
                    furniture.plain_pole, edge + side * 0.2, z, box=(0.1, 0), tall=5
                )
        if signals:
            mast = -side if side > 0 and rng.uniform() < 0.5 else 0
            plan.add(
                furniture.signal, edge, stop + 4, state, mast, box=(0.1, 0), tall=3
            )
            if rng.uniform() < 0.5:
                plan.add(
                    furniture.signal, edge, stop - 1.5, state, box=(0.1, 0), tall=3
                )
    if street.median:
        for z in np.arange(rng.uniform(9, 14), 90, rng.uniform(7, 12)):
            paint = furniture.bush if rng.uniform() < 0.5 else furniture.lamp
            size = rng.uniform(0.8, 1.4) if paint is furniture.bush else 1.0
            plan.add(paint, sum(street.median) / 2, z, size, box=(0.5, 0), tall=1)


def walkers(plan: Planner) -> None:
    """People on the pavements and on the crossing; riders and parked bicycles."""
    rng, street = plan.rng, plan.street
    for side, kerb in ((-1, street.left), (1, street.right)):
        room = street.walk[side > 0] - street.verge[side > 0]
        for _ in range(int(rng.integers(2, 8))):
            z = 7.5 + 50 * rng.uniform() ** 1.6
            u = kerb + side * (street.verge[side > 0] + rng.uniform(0.9, room - 0.5))
            for k in range(int(rng.choice([1, 2, 3], p=[0.65, 0.27, 0.08]))):
                plan.add(people.person, u + 0.62 * k * side, z + rng.uniform(0, 0.5))
        for _ in range(int(rng.integers(0, 3))):
            z, u = rng.uniform(8, 30), kerb + side * (street.walk[side > 0] - 0.5)
            squeeze = rng.uniform(0.4, 0.9)
            motor = rng.uniform() < 0.2
            for k in range(int(rng.integers(1, 4))):
                plan.add(
                    people.two_wheeler,
                    u,
                    z + 0.7 * k,
                    squeeze,
                    False,
                    motor,
                    tall=1,
                )
    if street.crossing:
        z = street.crossing
        for _ in range(int(rng.integers(1, 5))):
            u = rng.uniform(street.left, street.right)
            plan.add(people.person, u, z + rng.uniform(0.5, 3.2))
    for _ in range(int(rng.integers(1, 4))):
        u = street.right - 2.3 * plan.parked[1] - rng.uniform(0.5, 0.9)
        if rng.uniform() < 0.4:
            u = street.left + 2.3 * plan.parked[0] + rng.uniform(0.5, 0.9)
        across = rng.uniform() < 0.2
        squeeze = 0.95 if across else rng.uniform(0.22, 0.6)
        z = rng.uniform(9, 32)
        plan.add(people.two_wheeler, u, z, squeeze, True, rng.uniform() < 0.18)


def traffic(plan: Planner) -> None:
    """Parked and driving vehicles; a bus, a lorry or a tram in many scenes."""
    rng, street = plan.rng, plan.street
    cars: Callable[..., None] = vehicles.car
    for side, kerb in ((-1, street.left), (1, street.right)):
        z = rng.uniform(5, 14) if side < 0 else rng.uniform(8, 16)
        while plan.parked[side > 0] and z < 75:
            near = street.crossing and -5 < z - street.crossing < 8
            if (
                rng.uniform() < 0.78
                and not plan.in_arm(side, z - 3, z + 3)
                and not near
            ):
                turn = np.pi if side < 0 and rng.uniform() < 0.8 else 0.0
                u = kerb - side * 1.15
                plan.add(
                    cars,
                    u,
                    z,
                    turn + rng.normal(0, 0.015),
                    box=(0.9, 2.2),
                    tall=1.45,
                )
            z += rng.uniform(5.2, 6.6)
    _driving(plan)
    for side, z0, z1 in street.arms:  # a car that waits in or turns out of the arm
        if rng.uniform() < 0.6:
            u = (street.right if side > 0 else street.left) + side * rng.uniform(3, 9)
            turn = np.pi / 2 * rng.choice([-1, 1]) + rng.normal(0, 0.1)
            plan.add(cars, u, z0 + (z1 - z0) * 0.3, turn, box=(2.2, 0.9), tall=1.45)


def _driving(plan: Planner) -> None:
    rng, street = plan.rng, plan.street
    cars: Callable[..., None] = vehicles.car
    big = rng.choice(['bus', 'truck', 'none'], p=[0.4, 0.25, 0.35])
    large = int(rng.integers(len(plan.lanes)))
    for i, (u, heading) in enumerate(plan.lanes):
        z = rng.uniform(13, 34) if u >= 0 else rng.uniform(8, 24)
        tram = street.rails == u and rng.uniform() < 0.75
        if u == 0 and street.crossing:
            z = max(z, street.crossing + 8)
        if tram or (i == large and big != 'none'):
            z += 8 + 7 * tram
            kind = heavy.truck if big == 'truck' else heavy.coach
            label = heavy.TRAIN if tram else heavy.BUS
            more = {} if big == 'truck' and not tram else {'label': label}
            kind = heavy.coach if tram else kind
            long = 11 if tram else 5.9
            plan.add(kind, u, z, heading, box=(1.25, long), tall=3.1, **more)
            z += long + 9
        while z < 95:
            if rng.uniform() < 0.6 and not (tram and rng.uniform() < 0.5):
                u_ = u + rng.normal(0, 0.15)
                plan.add(
                    cars,
                    u_,
                    z,
                    heading + rng.normal(0, 0.02),
                    box=(0.9, 2.2),
                    tall=1.45,
                )
            z += rng.uniform(9, 24)
