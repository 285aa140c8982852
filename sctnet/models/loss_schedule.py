"""How the weight of a loss changes over a training."""

import math
from dataclasses import dataclass

from ..errors import ConfigError

KINDS = ('constant', 'linear', 'cosine')


@dataclass(frozen=True)
class LossSchedule:
    """A factor for a loss weight: 1 until ``begin``, then falling to 0 at ``end``.

    Args:
        kind: ``constant`` (always 1), ``linear`` or ``cosine``.
        begin: iteration at which it starts to fall.
        end: iteration from which it is 0; None is the end of the training.

    Raises:
        ConfigError: there is no such kind, or ``end`` does not come after ``begin``.
    """

    kind: str = 'constant'
    begin: int = 0
    end: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(
                f"there is no loss schedule '{self.kind}': use one of {list(KINDS)}"
            )
        if self.end is not None and self.end <= self.begin:
            raise ConfigError(
                f'a loss schedule begins at {self.begin} and ends at {self.end}: let '
                'end come after begin'
            )

    def factor(self, iteration: int, max_iters: int) -> float:
        """Return the factor, between 0 and 1, at ``iteration`` of ``max_iters``."""
        if self.kind == 'constant':
            return 1.0
        end = max_iters if self.end is None else self.end
        passed = (iteration - self.begin) / max(end - self.begin, 1)
        passed = min(max(passed, 0.0), 1.0)
        if self.kind == 'linear':
            return 1.0 - passed
        return 0.5 * (1.0 + math.cos(math.pi * passed))
