"""LoveDA: Train.zip, Val.zip and Test.zip, town and country put together.

The layout is that of mmseg. Label 0, no data, becomes 255 by ``reduce_zero_label``.
"""

from collections.abc import Sequence
from pathlib import Path

from ..archives import Archive, Job
from ..folders import Folder, unpack_folders

FOLDER = 'loveDA'
COUNTS = {
    'Train': {'Rural': 1366, 'Urban': 1156},
    'Val': {'Rural': 992, 'Urban': 677},
    'Test': {'Rural': 976, 'Urban': 820},
}
FOLDERS = [
    Folder(
        f'{part}/{area}/{source}',
        f'{target}/{part.lower()}',
        '.png',
        count,
        optional=part == 'Test',
    )
    for part, areas in COUNTS.items()
    for area, count in areas.items()
    for source, target in (('images_png', 'img_dir'), ('masks_png', 'ann_dir'))
    if (part, source) != ('Test', 'masks_png')  # not published
]
PAIRS = {f'ann_dir/{part}': f'img_dir/{part}' for part in ('train', 'val')}


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return the images of all parts, label maps of two; raises DataError."""
    expected = 'Train.zip and Val.zip'
    return unpack_folders(archives, root, FOLDERS, expected, PAIRS)
