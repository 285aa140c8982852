"""What a benchmark found, to be written as JSON with every single time."""

import json
import os
import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from ..files import write_bytes
from .case import Case
from .models import Published


@dataclass
class Row:
    """One case and what was measured of it; times in seconds, memory in bytes."""

    model: str
    backend: str
    batch: int
    size: tuple[int, int]  # (height, width) of the tensor or of the image
    seconds: list[float] = field(default_factory=list)
    input_size: tuple[int, int] | None = None  # (height, width) of the network's input
    parameters: int | None = None
    flops: int | None = None  # of one image
    memory: int | None = None  # at its peak
    stages: list[dict[str, float]] = field(default_factory=list)  # one for each time
    agreement: float | None = None  # share of labels equal to the first row's
    reason: str | None = None  # why there are no times

    @property
    def case(self) -> Case:
        """What was run."""
        return Case(self.model, self.backend, self.batch, self.size)

    @property
    def median(self) -> float:
        """The middle of the times."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """95 % were not slower; interpolated between the two nearest."""
        if len(self.seconds) == 1:
            return self.seconds[0]
        return statistics.quantiles(self.seconds, n=20, method='inclusive')[-1]

    @property
    def flops_per_second(self) -> float:
        """Achieved, over the median."""
        return (self.flops or 0) * self.batch / self.median

    @property
    def stage_medians(self) -> dict[str, float]:
        """Median seconds of each stage, in order; empty where none were timed."""
        names = self.stages[0] if self.stages else ()
        return {n: statistics.median(one[n] for one in self.stages) for n in names}


@dataclass
class Report:
    """Everything a benchmark found, and under what circumstances."""

    kind: str  # 'network', 'image', 'train'
    machine: dict[str, Any]
    settings: dict[str, Any]
    published: dict[str, Published]
    rows: list[Row]

    @property
    def done(self) -> list[Row]:
        """The rows that could be run."""
        return [row for row in self.rows if row.reason is None]

    def save(self, path: str | os.PathLike) -> None:
        """Write JSON, whole or not at all; raises :class:`OutputError`."""
        write_bytes(path, json.dumps(asdict(self), indent=1).encode())
