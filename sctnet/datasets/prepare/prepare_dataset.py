"""Unpacking published archives to the folders that the configs name."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ArgumentError, DataError, SCTNetError
from ..parallel import run_all
from .archives import Archive, Job, check_space
from .folders import unpack_folders
from .published import DATASETS


@dataclass
class Prepared:
    """What a preparation did.

    Attributes:
        root: data root for a config.
        written: how many files were made.
        kept: how many were there, complete.
        failed: what is broken: one sentence each, with the file's name.
    """

    root: Path
    written: int = 0
    kept: int = 0
    failed: list[str] = field(default_factory=list)


def prepare(
    dataset: str,
    archives: Sequence[Path],
    out: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Unpack a data set and draw the label maps that its config reads.

    What is there already, complete, is left as it is: an interrupted run is started
    again and goes on.

    Args:
        dataset: a name of ``DATASETS``.
        archives: as they are published, in any order.
        out: the folder ``data``; the data set gets its own below it.
        workers: threads; 0 works in this one, None takes one a core.
        progress: called as progress(done, total) after every file.

    Raises:
        ArgumentError: no such data set, or an extra that is not installed.
        DataError: an archive is damaged, unsafe, or of another data set.
        OutputError: a file cannot be written, or another is in its place.
    """
    if dataset not in DATASETS:
        raise ArgumentError(
            f'there is no data set {dataset!r}: take one of {", ".join(DATASETS)}'
        )
    module = DATASETS[dataset]
    result = Prepared(out / module.FOLDER)
    opened = [*map(Archive, archives)]
    jobs: list[Job]
    if hasattr(module, 'list_jobs'):
        jobs = module.list_jobs(opened, result.root)
    else:
        whole = (module.FOLDERS, module.EXPECTED, module.PAIRS)
        jobs = unpack_folders(opened, result.root, *whole)
    if not jobs:
        raise DataError('the archives hold no files: download them again')
    _check_targets(jobs)
    todo = [job for job in jobs if not job.is_done()]
    result.kept = len(jobs) - len(todo)
    check_space(
        out, sum(job.archive.sizes[job.name] for job in todo if job.draw is None)
    )
    with closing(run_all(Job.run, todo, workers)) as outcomes:
        for done, (_, failure) in enumerate(outcomes, 1):
            if isinstance(failure, SCTNetError):
                result.failed.append(str(failure))
            else:
                result.written += 1
            if progress is not None:
                progress(done, len(todo))
    result.failed.sort()
    return result


def _check_targets(jobs: Sequence[Job]) -> None:
    seen: dict[Path, Job] = {}
    for job in jobs:
        other = seen.setdefault(job.target, job)
        if other is not job:
            raise DataError(
                f"'{other.name}' of '{other.archive}' and '{job.name}' of "
                f"'{job.archive}' are the same file: name each archive once"
            )
