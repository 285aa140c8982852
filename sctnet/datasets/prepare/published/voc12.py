"""Pascal VOC 2012 and its augmentation: VOCtrainval_11-May-2012.tar, benchmark.tgz.

In the place of benchmark.tgz (SBD, whose .mat files are turned into label maps) stands
SegmentationClassAug.zip, where they were turned already. What VOC itself has labelled
for training or validation is not taken from there. The layout is that of mmseg.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ..archives import Archive, Job
from ..folders import Folder, stems_in, unpack_folders
from ..mat_files import read_mat

FOLDER = 'VOCdevkit/VOC2012'
CLASSES = 21
LISTS = 'ImageSets/Segmentation'
IMAGES = 'JPEGImages'
AUGMENTED = 'SegmentationClassAug'
COUNT = 9118  # of images that have labels from there alone
EXPECTED = (
    'VOCtrainval_11-May-2012.tar, and benchmark.tgz or the SegmentationClassAug.zip '
    'made of it'
)


def draw_labels(data: bytes, name: str) -> np.ndarray:
    """Turn a .mat file of SBD into labels, uint8 (H, W); raises DataError."""
    known = np.arange(CLASSES)
    return read_mat(data, name, known, 'GTcls', 'Segmentation').astype(np.uint8)


FOLDERS = [
    Folder(f'VOC2012/{LISTS}', LISTS, '.txt', 3),
    Folder(f'VOC2012/{IMAGES}', IMAGES, '.jpg', 17125),
    Folder('VOC2012/SegmentationClass', 'SegmentationClass', '.png', 2913),
    Folder('dataset/cls', AUGMENTED, '.mat', 11355, draw=draw_labels),
    Folder(AUGMENTED, AUGMENTED, '.png', 12031),
]


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return images, lists and label maps of VOC and of its augmentation.

    Raises:
        ArgumentError: scipy, which reads .mat files, is not installed.
        DataError: an archive is another one, or lacks files.
    """
    jobs = unpack_folders(archives, root, FOLDERS, EXPECTED, {})
    labelled = _listed('train', jobs, root) | _listed('val', jobs, root)
    folder = root / AUGMENTED
    jobs = [
        job
        for job in jobs
        if job.target.parent != folder or job.target.stem not in labelled
    ]
    added = [job for job in jobs if job.target.parent == folder]
    if added:
        if any(job.draw for job in added):
            require('scipy')
        jobs.append(_list_of(added, stems_in(root / IMAGES, jobs), root))
    return jobs


def _listed(part: str, jobs: Sequence[Job], root: Path) -> set[str]:
    """Return the names in a list of VOC, from its archive or from where it lies."""
    path = root / LISTS / f'{part}.txt'
    try:
        data = next(
            (job.archive.read(job.name) for job in jobs if job.target == path), None
        )
        return set((data or path.read_bytes()).decode('ascii', 'replace').split())
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read ({error.strerror}): name {EXPECTED}"
        ) from error


def _list_of(added: Sequence[Job], images: set[str], root: Path) -> Job:
    """Return the job that writes the names of the added label maps to ``aug.txt``."""
    names = sorted(job.target.stem for job in added)
    if len(names) != COUNT or not images.issuperset(names):
        raise DataError(
            f"'{added[0].archive}' adds {len(names)} label maps to those of VOC, "
            f'{len(images.intersection(names))} of them with an image: expected {COUNT}'
            f'; name {EXPECTED}'
        )
    text = '\n'.join([*names, '']).encode()
    target = root / LISTS / 'aug.txt'
    return Job(added[0].archive, added[0].name, target, lambda data, name: text)
