"""COCO-Stuff-10K: cocostuff-10k-v1.1.zip, its .mat files turned into label maps.

The labels 1 to 182 lose the eleven that no image has; 0, unlabelled, stays 0 and
becomes 255 by the data set's ``reduce_zero_label``.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....errors import DataError
from ..archives import Archive, Job

FOLDER = 'coco_stuff10k'
LANDMARK = 'imageLists/train.txt'
FOLDER_OF = {'train': 'train2014', 'test': 'test2014'}  # list to folder
UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
LARGEST = 182


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return an image and a label map for each name in the two lists.

    Raises:
        DataError: it is another archive, or lacks a file that a list names.
    """
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
    from scipy.io import loadmat

    try:
        stored = np.asarray(loadmat(io.BytesIO(data), variable_names=['S'])['S'])
    except Exception as error:  # scipy has many for damaged files
        reason = f'{type(error).__name__}: {error}'
        raise DataError(
            f"'{name}' is no .mat file with a label map S ({reason}): download the "
            'archive again'
        ) from error
    table = _table()
    known = np.isin(stored, np.flatnonzero(table >= 0))
    if stored.ndim != 2 or not known.all():
        raise DataError(
            f"'{name}' has labels {np.unique(stored[~known])[:5].tolist()} in shape "
            f'{stored.shape}: expected those of COCO-Stuff; download the archive again'
        )
    return table[stored.astype(np.int64)].astype(np.uint8)


def _table() -> np.ndarray:
    """Return the new label of each old one, int64 (183,); -1 where none is."""
    used = np.setdiff1d(np.arange(LARGEST + 1), UNUSED)
    table = np.full(LARGEST + 1, -1)
    table[used] = np.arange(len(used))
    return table
