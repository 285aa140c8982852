"""What a benchmark found: as JSON with every single time, and as Markdown tables."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..errors import DataError
from ..files import write_bytes
from .cases import Case
from .measure import Times

Column = tuple[str, Callable[['Row'], str]]  # of a table: its head, and a row's text


@dataclass
class Row:
    """One case and what was measured of it; times in seconds, memory in bytes."""

    model: str
    backend: str
    norms: str
    batch: int
    size: tuple[int, int]  # (height, width) of the tensor or of the image
    peak_flops: float | None = None  # per second, of matrix products in the same rounds
    seconds: list[float] = field(default_factory=list)
    input_size: tuple[int, int] | None = None  # (height, width) of the network's input
    parameters: int | None = None
    flops: int | None = None  # of one image
    memory: dict[str, int] | None = None  # built, peak
    largest_batch: int | None = None  # of training, that fits in a GPU
    stages: list[dict[str, float]] = field(default_factory=list)  # one for each time
    agreement: float | None = None  # share of labels equal to the first row's
    loss: float | None = None  # of the first training step
    reason: str | None = None  # why there are no times

    @property
    def case(self) -> Case:
        """What was run."""
        return Case(self.model, self.backend, self.norms, self.batch, self.size)

    @property
    def times(self) -> Times:
        """The times."""
        return Times(tuple(self.seconds))

    @property
    def flops_per_second(self) -> float:
        """Achieved, over the median."""
        return (self.flops or 0) * self.batch / self.times.median

    @property
    def stage_medians(self) -> dict[str, float]:
        """Median seconds of each stage, in order; empty where none were timed."""
        return {
            stage: Times(tuple(one[stage] for one in self.stages)).median
            for stage in (self.stages[0] if self.stages else ())
        }


@dataclass
class Published:
    """A model's published result."""

    dataset: str
    miou: float
    source: str
    ours: bool
    size: tuple[int, int]  # (height, width) of the network's input


@dataclass
class Report:
    """Everything a benchmark found, and under what circumstances."""

    kind: str  # 'network', 'image', 'train'
    machine: dict[str, Any]
    settings: dict[str, Any]
    published: dict[str, Published]
    rows: list[Row]

    def save(self, path: str | os.PathLike) -> None:
        """Write JSON, whole or not at all; raises :class:`OutputError`."""
        write_bytes(path, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def load(cls, path: str | os.PathLike) -> 'Report':
        """Read what :meth:`save` wrote.

        Raises:
            DataError: it is no such file.
        """
        try:
            with open(path, encoding='utf-8') as file:
                data = json.load(file)
            rows = [_from_json(Row, row) for row in data.pop('rows')]
            published = {
                name: _from_json(Published, one)
                for name, one in data.pop('published').items()
            }
            return cls(rows=rows, published=published, **data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"'{path}' is not a report of tools/benchmark.py ({error}): name one "
                'of its .json files'
            ) from error


def _from_json(cls: Any, data: dict[str, Any]) -> Any:
    """Build a dataclass whose sizes were tuples."""
    sizes = {f.name for f in fields(cls) if f.name.endswith('size')}
    return cls(**{k: tuple(v) if k in sizes and v else v for k, v in data.items()})
