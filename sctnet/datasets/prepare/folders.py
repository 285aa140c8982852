"""Unpacking a data set folder by folder, and whether all of it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from .archives import Archive, Draw, Job


@dataclass(frozen=True)
class Folder:
    """A folder of an archive.

    Attributes:
        source: its name there, below any other folders.
        target: its name below the data root; several may be put into one.
        suffix: of its files; others stay in the archive.
        count: how many there are, as published.
        optional: whether no config reads it.
        draw: makes a label map of each file; None unpacks it as it is.
    """

    source: str
    target: str
    suffix: str
    count: int
    optional: bool = False
    draw: Draw | None = None


def unpack_folders(
    archives: Sequence[Archive],
    root: Path,
    folders: Sequence[Folder],
    expected: str,
    pairs: Mapping[str, str],
) -> list[Job]:
    """Return a job for each file of each folder that is in an archive.

    A folder need not be there if it was unpacked before.

    Args:
        archives: as published; each holds some of the folders.
        root: data root.
        folders: which to take.
        expected: names of the archives, for a message.
        pairs: targets of label maps, each with that of its images.

    Raises:
        DataError: an archive is another one, a folder is missing or lacks files, or
            label maps and images do not have the same names.
    """
    jobs: list[Job] = []
    for archive in archives:
        found = [job for folder in folders for job in _jobs_of(archive, root, folder)]
        if not found:
            raise DataError(
                f"'{archive}' has no folder such as '{folders[0].source}': expected "
                f'{expected}'
            )
        jobs += found
    made = {job.target.parent for job in jobs}
    needed = {folder.target for folder in folders if not folder.optional}
    missing = {t for t in needed if root / t not in made and not (root / t).is_dir()}
    if missing:
        raise DataError(
            f'nothing holds the folder {" or ".join(sorted(missing))}: name {expected}'
        )
    for labels, images in pairs.items():
        _check_pairs(root / labels, root / images, jobs, expected)
    return jobs


def _jobs_of(archive: Archive, root: Path, folder: Folder) -> list[Job]:
    head = archive.head_of(f'{folder.source}/')
    if head is None:
        return []
    place = f'{head}{folder.source}/'
    names = [
        name
        for name in archive.sizes
        if name.startswith(place)
        and name.endswith(folder.suffix)
        and '/' not in name.removeprefix(place)
    ]
    if len(names) != folder.count:
        raise DataError(
            f"'{archive}' has {len(names)} files *{folder.suffix} in '{place}': "
            f'expected {folder.count}; download the archive again'
        )
    target = root / folder.target
    ending = '.png' if folder.draw else folder.suffix
    return [
        Job(
            archive,
            name,
            target / f'{name.removeprefix(place).removesuffix(folder.suffix)}{ending}',
            folder.draw,
        )
        for name in names
    ]


def _check_pairs(
    labels: Path, images: Path, jobs: Sequence[Job], expected: str
) -> None:
    alone = stems_in(labels, jobs) ^ stems_in(images, jobs)
    if alone:
        raise DataError(
            f"{len(alone)} files of '{labels}' and '{images}' would have no partner, "
            f"the first '{min(alone)}': take all archives of one version ({expected})"
        )


def stems_in(folder: Path, jobs: Sequence[Job]) -> set[str]:
    """Return the names, without endings, that a folder has or will have."""
    there = folder.iterdir() if folder.is_dir() else ()
    targets = (job.target for job in jobs if job.target.parent == folder)
    return {path.stem for path in (*there, *targets)}
