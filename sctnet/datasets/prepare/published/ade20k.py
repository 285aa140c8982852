"""ADE20K for scene parsing: ADEChallengeData2016.zip, used as it is."""

from collections.abc import Sequence
from pathlib import Path

from ....errors import DataError
from ..archives import common_root, list_files
from ..unpack import Job

FOLDER = 'ade/ADEChallengeData2016'
LANDMARK = 'annotations/training/'


def list_jobs(archives: Sequence[Path], root: Path) -> list[Job]:
    """Return every file of the archive, below ``root``; raises DataError."""
    jobs = []
    for archive in archives:
        infos = list_files(archive)
        head = common_root([info.filename for info in infos], LANDMARK)
        if head is None:
            raise DataError(
                f"'{archive}' has no folder '{LANDMARK}': expected "
                'ADEChallengeData2016.zip'
            )
        for info in infos:
            if info.filename.startswith(head):
                target = root / info.filename.removeprefix(head)
                jobs.append(Job(archive, info.filename, info.file_size, target))
    return jobs
