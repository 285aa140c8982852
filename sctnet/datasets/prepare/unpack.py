"""One file to be made from one member of an archive."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import OutputError
from ..convert.write_pair import write_png
from .archives import read_member, unpack_member

Draw = Callable[[bytes, str], np.ndarray]  # what a member holds, its name


@dataclass(frozen=True)
class Job:
    """Unpacks a member, or draws a label map from what it holds.

    Attributes:
        archive: the zip file.
        name: of the member.
        size: of the member, bytes.
        target: file to be written.
        draw: makes a label map, uint8 (H, W); None unpacks as it is.
    """

    archive: Path
    name: str
    size: int
    target: Path
    draw: Draw | None = None

    def is_done(self) -> bool:
        """Whether the target is there, complete.

        A drawn one always is: it appears whole. Another has the size of the member.

        Raises:
            OutputError: something else is there.
        """
        if not self.target.exists():
            return False
        found = self.target.stat().st_size
        if self.target.is_dir() or (self.draw is None and found != self.size):
            raise OutputError(
                f"'{self.target}' is there and is not what '{self.archive}' holds "
                f'({found} bytes instead of {self.size}): delete it, or pass '
                '--overwrite'
            )
        return True


def run_job(job: Job) -> None:
    """Write the target of a job, whole or not at all.

    Raises:
        DataError: the member is damaged.
        OutputError: the target cannot be written.
    """
    if job.draw is None:
        unpack_member(job.archive, job.name, job.target)
    else:
        data = read_member(job.archive, job.name)
        write_png(job.target, job.draw(data, job.name))
