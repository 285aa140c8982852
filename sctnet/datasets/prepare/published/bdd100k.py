"""BDD100K: bdd100k_images_10k.zip and bdd100k_sem_seg_labels_trainval.zip."""

from collections.abc import Sequence
from pathlib import Path

from ..archives import Archive, Job
from ..folders import Folder, unpack_folders

FOLDER = 'bdd100k'
COUNTS = {'train': 7000, 'val': 1000, 'test': 2000}
IMAGES, LABELS = 'images/10k', 'labels/sem_seg/masks'
FOLDERS = [
    Folder(
        f'{folder}/{part}',
        f'{folder}/{part}',
        suffix,
        count,
        optional=part == 'test',
    )
    for folder, suffix in ((IMAGES, '.jpg'), (LABELS, '.png'))
    for part, count in COUNTS.items()
    if (folder, part) != (LABELS, 'test')  # not published
]
PAIRS = {f'{LABELS}/{part}': f'{IMAGES}/{part}' for part in ('train', 'val')}


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return the images of all parts, label maps of two; raises DataError."""
    expected = 'bdd100k_images_10k.zip and bdd100k_sem_seg_labels_trainval.zip'
    return unpack_folders(archives, root, FOLDERS, expected, PAIRS)
