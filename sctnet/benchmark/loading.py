"""The benchmark of a data loader: one worker process's batches, beside the steps."""

import itertools
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from ..catalog import load_config, merge_options
from ..datasets.prepare.prepare_store import plan_store, write_store
from ..datasets.street_scenes import render_street_scene
from .case import IMAGE_SIZES, Case, Contender, parse_way
from .models import entries

SCENES = 8


def loading_contender(case: Case) -> Contender:
    """Prepare the loading of batches by a recipe's own pipeline, in this process."""
    return Contender(Loading(case), None, case.size)


class Loading:
    """Loads a batch a call, with one thread of OpenCV's, as in a worker.

    The images are drawn street scenes in files of the data set's typical size. The
    options of the way, ``store`` and ``crop``, are those of ``faster_loader``.
    """

    def __init__(self, case: Case) -> None:
        options = parse_way(case.backend)
        entry = entries()[case.model]
        self.folder = _write_scenes(entry.published.dataset, SCENES)
        init_default_scope('mmseg')
        cfg = _config(entry.config, self.folder.name, case.size)
        kept = Path(self.folder.name, 'store')
        if 'store' in options:
            write_store(plan_store(cfg, kept))
        faster = {'store': str(kept) if 'store' in options else None}
        merge_options(
            cfg, {'faster_loader': {**faster, 'crop_first': 'crop' in options}}
        )
        self.dataset = DATASETS.build(cfg.train_dataloader.dataset)
        self.indices = itertools.cycle(range(SCENES))
        self.calls = itertools.count()
        self.batch = case.batch

    def __call__(self) -> None:
        """Load and augment a batch; of the same call in any way the same crops."""
        np.random.seed(next(self.calls))
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        try:
            some = itertools.islice(self.indices, self.batch)
            pseudo_collate([self.dataset[index] for index in some])
        finally:
            cv2.setNumThreads(threads)


def _config(path: Path, root: str, crop: tuple[int, int]) -> Config:
    """A recipe's training pipeline, on the files in ``root``."""
    cfg = load_config(path)
    dataset = cfg.train_dataloader.dataset
    for step in dataset.pipeline:
        if 'crop_size' in step:
            step.crop_size = crop
    files = {'img_path': 'images', 'seg_map_path': 'labels'}
    cfg.train_dataloader.dataset = {
        'type': 'FolderDataset',
        'data_root': root,
        'data_prefix': files,
        'pipeline': dataset.pipeline,
    }
    return cfg


@cache
def _write_scenes(dataset: str, count: int) -> tempfile.TemporaryDirectory:
    """Write files as a data set has them, for all that this process measures."""
    folder = tempfile.TemporaryDirectory()  # removed at the end
    (height, width), suffix = IMAGE_SIZES[dataset][0], '.jpg'
    if dataset == 'Cityscapes':
        suffix = '.png'
    for name in ('images', 'labels'):
        Path(folder.name, name).mkdir()
    for seed in range(count):
        image, labels = render_street_scene(seed, 1024, 512)
        resized = cv2.resize(image, (width, height))
        cv2.imwrite(f'{folder.name}/images/{seed}{suffix}', resized)
        nearest = cv2.INTER_NEAREST
        resized = cv2.resize(labels, (width, height), interpolation=nearest)
        cv2.imwrite(f'{folder.name}/labels/{seed}.png', resized)
    return folder
