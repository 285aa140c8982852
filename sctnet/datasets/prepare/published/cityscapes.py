"""Cityscapes: leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip.

Both are unpacked, and the polygons drawn to ``*_gtFine_labelTrainIds.png``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ....compat.optional_packages import require
from ....errors import DataError
from ...convert.formats.cityscapes import POLYGONS, draw_polygons
from ..archives import Archive, Job

FOLDER = 'cityscapes'
FOLDERS = ('leftImg8bit', 'gtFine')


def list_jobs(archives: Sequence[Archive], root: Path) -> list[Job]:
    """Return the files of the archives and the label maps of train and val.

    One archive may be missing if it was unpacked before.

    Raises:
        ArgumentError: cityscapesscripts is not installed.
        DataError: an archive is another one, or one is missing.
    """
    require('cityscapesscripts')
    jobs: list[Job] = []
    missing = {folder for folder in FOLDERS if not (root / folder).is_dir()}
    for archive in archives:
        heads = {name.partition('/')[0] for name in archive.sizes}
        if heads.isdisjoint(FOLDERS):
            raise DataError(
                f"'{archive}' has neither leftImg8bit nor gtFine: expected "
                'leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip'
            )
        missing -= heads
        for name in archive.sizes:
            if name.partition('/')[0] not in FOLDERS:  # README and licence
                continue
            jobs.append(Job(archive, name, root / name))
            if name.endswith(POLYGONS) and name.split('/')[1] in ('train', 'val'):
                stem = name.removesuffix('_polygons.json')
                target = root / f'{stem}_labelTrainIds.png'
                jobs.append(Job(archive, name, target, draw_train_ids))
    if missing:
        raise DataError(
            f'nothing holds the folder {" or ".join(sorted(missing))}: name '
            'leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip'
        )
    return jobs


def draw_train_ids(data: bytes, name: str) -> np.ndarray:
    """Draw polygons to train ids, uint8 (H, W); raises DataError."""
    return draw_polygons(data.decode('utf-8', 'replace'), f"'{name}'")
