"""Inspects all pairs in parallel, and adds up what they hold."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from mmengine.config import Config

from ...errors import SCTNetError
from ..listing import Pair
from ..parallel import run_all
from .common_faults import common_faults
from .duplicates import Look, nearly_repeated, repeated
from .faults import KINDS, Fault, split_of
from .inspection import inspect_pair
from .pairs import SPLITS, Part, list_parts
from .proposals import propose
from .shares import Share


@dataclass
class CheckResult:
    """All that a check found.

    Attributes:
        parts: the data sets, in the order train, val, test.
        shares: of each part's name, what its label maps hold.
        faults: in the order of ``KINDS``, serious ones first.
        proposals: for the training, each with its reason.
    """

    parts: list[Part]
    shares: dict[str, Share]
    faults: list[Fault]
    proposals: list[str]

    @property
    def serious(self) -> list[Fault]:
        """Faults by which a training fails or learns nonsense."""
        return [fault for fault in self.faults if fault.serious]

    @property
    def warnings(self) -> list[Fault]:
        """Faults that a training survives."""
        return [fault for fault in self.faults if not fault.serious]


def check_config(
    cfg: Config,
    workers: int | None = None,
    most: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    splits: Iterable[str] = SPLITS,
) -> CheckResult:
    """Inspect the pairs of every data set that ``cfg`` trains or validates on.

    Args:
        cfg: the config.
        workers: threads; 0 works in the caller's, None takes one a core.
        most: how many pairs of each part, spread evenly; None takes all.
        progress: called as progress(done, total) after every pair.
        splits: other than train and val, such as test.

    Raises:
        ArgumentError: ``workers`` is negative.
        ConfigError: the config is not sound, or a data set cannot be built.
        DataError: a folder is not there.
    """
    parts = list(list_parts(cfg, splits))
    jobs = [(part, pair) for part in parts for pair in _spread(part.pairs, most)]
    shares = {part.name: Share.of(part) for part in parts}
    faults = [fault for part in parts for fault in part.faults]
    looks: list[Look] = []
    with closing(run_all(lambda job: inspect_pair(*job), jobs, workers)) as inspected:
        for done, ((part, _), found) in enumerate(inspected, 1):
            if isinstance(found, SCTNetError):
                raise found
            shares[part.name].add(part, found)
            faults += found.faults
            if found.look:
                looks.append(found.look)
            if progress is not None:
                progress(done, len(jobs))
    faults += [*repeated(looks), *nearly_repeated(looks)]
    for part in parts:
        faults += common_faults(part, shares[part.name])
    black = {fault.part for fault in faults if fault.kind == 'nearly black images'}
    faults = [f for f in faults if f.kind != 'flat image' or f.part not in black]
    order = list(KINDS)
    faults.sort(key=lambda fault: order.index(fault.kind))
    trained = [part for part in parts if split_of(part.name) == 'train'][:1]
    proposals = [x for part in trained for x in propose(cfg, part, shares[part.name])]
    return CheckResult(parts, shares, faults, proposals)


def _spread(pairs: Sequence[Pair], most: int | None) -> list[Pair]:
    if most is None or len(pairs) <= most:
        return list(pairs)
    return [pairs[i] for i in np.linspace(0, len(pairs) - 1, most).astype(int)]
