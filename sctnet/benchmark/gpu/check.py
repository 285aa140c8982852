"""Runs the sections of the check of a GPU, as many as fit into its time."""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from ...errors import ArgumentError, OutputError
from ..machine import describe_machine
from .correctness import amp, labels, parity
from .in_turns import OWN, run_in_turns
from .loader import loader
from .networks import compiled, images, networks
from .place import Facts, Place, Tasks
from .record import Record
from .resuming import resume
from .steps import largest_batch, operations, steps


class Section(NamedTuple):
    """A part of the check."""

    half: int
    tasks: Callable[[Place], Tasks]


# In the order in which they run.
SECTIONS = {
    'resume': Section(1, resume),
    'loader': Section(1, loader),
    'compiled': Section(1, compiled),
    'largest_batch': Section(1, largest_batch),
    'parity': Section(1, parity),
    'amp': Section(1, amp),
    'operations': Section(1, operations),
    'steps': Section(2, steps),
    'images': Section(2, images),
    'labels': Section(2, labels),
    'networks': Section(2, networks),
}
HALVES = (1, 2)


def choose(
    only: Sequence[str] = (), skip: Sequence[str] = (), halves: Sequence[int] = HALVES
) -> dict[int, list[str]]:
    """Return the names of sections to run, by half.

    Raises:
        ArgumentError: there is no section of a name, or none is left.
    """
    for name in (*only, *skip):
        if name not in SECTIONS:
            raise ArgumentError(
                f"there is no section '{name}': choose from {', '.join(SECTIONS)}"
            )
    names = [name for name in SECTIONS if name in (only or SECTIONS)]
    chosen: dict[int, list[str]] = {}
    for name in names:
        half = SECTIONS[name].half
        if name not in skip and half in halves:
            chosen.setdefault(half, []).append(name)
    if not chosen:
        raise ArgumentError(
            'no section is left to run: --half 1 has '
            f'{", ".join(n for n, s in SECTIONS.items() if s.half == 1)}; --half 2 the '
            'others; drop an option'
        )
    return chosen


def run_halves(
    halves: Mapping[int, Sequence[str]],
    seconds: float,
    place: Place,
    record: Record,
    copy: Path | None = None,
) -> None:
    """Run sections, here or, with another copy of the package, in turns.

    Args:
        halves: names of the sections of each.
        seconds: for each half.
        place: where.
        record: hears the facts.
        copy: the folder of another copy, from :func:`.in_turns.find_copy`.
    """
    if copy is None:
        record.say('machine', **describe_machine(place.device))
    for names in halves.values():
        deadline = time.monotonic() + seconds
        for name in names:
            if copy is None:
                run_section(name, place, deadline, record)
            else:
                run_in_turns(name, (copy, OWN), place, deadline, record)


def run_section(name: str, place: Place, deadline: float, record: Record) -> None:
    """Run a section's cases until :func:`time.monotonic` would pass ``deadline``.

    A case that would not fit is said, and so is an error; the others are run.
    """
    start = time.monotonic()
    if start >= deadline:
        record.say(name, skipped='no time is left for it')
        return
    try:
        for task in SECTIONS[name].tasks(place):
            left = deadline - time.monotonic()
            if left < place.pick(task.needs, 0.0):
                reason = f'{left:.0f} s left, it may take {task.needs:.0f}'
                record.say(name, case=task.case, skipped=reason)
                continue
            record.say(name, case=task.case, **_judge(task.measure, place))
            place.free()
    except OutputError:
        raise
    except Exception:  # the other sections have their say too
        record.say(name, ok=False, error=traceback.format_exc())
    place.free()
    record.say(name, seconds=round(time.monotonic() - start, 1))


def _judge(measure: Callable[[], Facts], place: Place) -> Facts:
    """Return a case's facts and in what precision convolutions ran, or its error."""
    precision = {'tf32_convolutions': torch.backends.cudnn.allow_tf32}
    try:
        return {**measure(), **(precision if place.gpu else {})}
    except Exception:
        return {'ok': False, 'error': traceback.format_exc()}
