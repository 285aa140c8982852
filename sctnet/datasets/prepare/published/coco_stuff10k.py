"""COCO-Stuff-10K: cocostuff-10k-v1.1.zip, its .mat files turned into label maps.

The labels 1 to 182 lose the eleven that no image has; 0, unlabelled, stays 0 and
becomes 255 by the data set's ``reduce_zero_label``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ..archives import Archive, Job
from ..mat_files import read_mat

FOLDER = 'coco_stuff10k'
LANDMARK = 'imageLists/train.txt'
FOLDER_OF = {'train': 'train2014', 'test': 'test2014'}  # list to folder
UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
LARGEST = 182


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return an image and a label map for each name in the two lists.

    Raises:
        ArgumentError: scipy is not installed.
        DataError: it is another archive, or lacks a file that a list names.
    """
    require('scipy')
    jobs: list[Job] = []
    for archive in archives:
        head = archive.head_of(LANDMARK)
        if head is None:
            raise DataError(
                f"'{archive}' has no file '{LANDMARK}': expected cocostuff-10k-v1.1.zip"
            )
        for part, folder in FOLDER_OF.items():
            listed = archive.read(f'{head}imageLists/{part}.txt')
            for stem in listed.decode('ascii', 'replace').split():
                image = f'{head}images/{stem}.jpg'
                labels = f'{head}annotations/{stem}.mat'
                for name in (image, labels):
                    if name not in archive.sizes:
                        raise DataError(
                            f"'{archive}' has no '{name}', which {part}.txt names: "
                            'download it again'
                        )
                target = root / 'images' / folder / f'{stem}.jpg'
                jobs.append(Job(archive, image, target))
                target = root / 'annotations' / folder / f'{stem}_labelTrainIds.png'
                jobs.append(Job(archive, labels, target, draw_labels))
    return jobs


def draw_labels(data: bytes, name: str) -> np.ndarray:
    """Turn a .mat file into labels 0 to 171, uint8 (H, W); raises DataError."""
    table = _table()
    known = np.flatnonzero(table >= 0)
    return table[read_mat(data, name, known, 'S')].astype(np.uint8)


def _table() -> np.ndarray:
    """Return the new label of each old one, int64 (183,); -1 where none is."""
    used = np.setdiff1d(np.arange(LARGEST + 1), UNUSED)
    table = np.full(LARGEST + 1, -1)
    table[used] = np.arange(len(used))
    return table
