"""The kinds of cases. A new kind is one function::

    @kind('my_tool', share=5)
    def my_tool(rng: Random, place: Place, stock: Stock) -> Case:
        file = place.write('image.png', mutate_bytes(stock.images['rgb.png'], rng)[0])
        return Case(tool_call('my_tool', file), note='my damage', tool=True)

in a module that :data:`MODULES` names.
"""

import importlib
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from contract import Case, Place

MODULES = (
    *('kinds_images', 'kinds_weights', 'kinds_configs', 'kinds_commands'),
    'kinds_data',
)

Make = Callable[[Random, Place, Any], Case]


class Kind(NamedTuple):
    """A kind of cases and its share of a run, in parts of the sum of all shares."""

    name: str
    share: float
    make: Make


_kinds: dict[str, Kind] = {}


def kind(name: str, share: float) -> Callable[[Make], Make]:
    """Register a function that makes the case of a generator's seed."""

    def register(make: Make) -> Make:
        _kinds[name] = Kind(name, share, make)
        return make

    return register


def kinds() -> dict[str, Kind]:
    """All kinds, by name."""
    for module in MODULES:
        importlib.import_module(module)
    return dict(_kinds)


def counts(total: int, names: list[str] | None = None) -> dict[str, int]:
    """Share ``total`` cases out among the kinds ``names``, or all: one at least."""
    chosen = [one for one in kinds().values() if not names or one.name in names]
    parts = sum(one.share for one in chosen)
    found = {one.name: max(1, int(total * one.share / parts)) for one in chosen}
    largest = max(chosen, key=lambda one: one.share).name
    found[largest] = max(1, found[largest] + total - sum(found.values()))
    return found
