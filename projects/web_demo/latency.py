"""How fast a camera's frames are segmented."""

import statistics
from collections import deque

RECENT_FRAMES = 20


class Latency:
    """How long the newest frames of a camera took, and how many come a second."""

    def __init__(self, frames: int = RECENT_FRAMES) -> None:
        self._frames: deque[tuple[float, float]] = deque(maxlen=frames)
        self._of: object = None

    def add(self, milliseconds: float, of: object, moment: float) -> None:
        """Count a frame; ``of`` is what made it: another one starts anew.

        Args:
            milliseconds: the time it took.
            of: the choice of model and backend.
            moment: in seconds, when it was done.
        """
        if of != self._of:
            self._frames.clear()
            self._of = of
        self._frames.append((milliseconds, moment))

    @property
    def milliseconds(self) -> float:
        """The median."""
        return statistics.median(ms for ms, _ in self._frames)

    @property
    def fps(self) -> float:
        """Frames a second; 0 of a single frame."""
        span = self._frames[-1][1] - self._frames[0][1]
        return (len(self._frames) - 1) / span if span else 0.0

    def __str__(self) -> str:
        return (
            f'{self.milliseconds:.0f} ms from image to label map (median of '
            f'{len(self._frames)}), {self.fps:.1f} frames a second'
        )
