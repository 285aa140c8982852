"""ADE20K for scene parsing: ADEChallengeData2016.zip, used as it is."""

from collections.abc import Sequence
from pathlib import Path

from ....errors import DataError
from ..archives import Archive, Job

FOLDER = 'ade/ADEChallengeData2016'
LANDMARK = 'annotations/training/'


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return every file of the archive, below ``root``; raises DataError."""
    jobs: list[Job] = []
    for archive in archives:
        head = archive.head_of(LANDMARK)
        if head is None:
            raise DataError(
                f"'{archive}' has no folder '{LANDMARK}': expected "
                'ADEChallengeData2016.zip'
            )
        jobs += [
            Job(archive, name, root / name.removeprefix(head))
            for name in archive.sizes
            if name.startswith(head)
        ]
    return jobs
