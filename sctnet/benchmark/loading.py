"""The benchmark of a data loader: one worker process's batches, beside the steps."""

import itertools
import tempfile
from pathlib import Path

import cv2
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmseg.datasets import BaseSegDataset

from ..catalog import load_config
from ..datasets.street_scenes import render_street_scene
from .case import IMAGE_SIZES, Case, Contender
from .models import entries

SCENES = 8


def loading_contender(case: Case) -> Contender:
    """Prepare the loading of batches by a recipe's own pipeline, in this process."""
    return Contender(Loading(case), None, case.size)


class Loading:
    """Loads a batch a call, with one thread of OpenCV's, as in a worker.

    The images are drawn street scenes in files of the data set's typical size.
    """

    def __init__(self, case: Case) -> None:
        entry = entries()[case.model]
        pipeline = load_config(entry.config).train_dataloader.dataset.pipeline
        for step in pipeline:
            if 'crop_size' in step:
                step.crop_size = case.size
        dataset = entry.published.dataset
        suffix = '.png' if dataset == 'Cityscapes' else '.jpg'
        self.folder = tempfile.TemporaryDirectory()  # removed with this object
        _write_scenes(Path(self.folder.name), IMAGE_SIZES[dataset][0], suffix)
        init_default_scope('mmseg')
        self.dataset = BaseSegDataset(
            data_root=self.folder.name,
            data_prefix={'img_path': 'images', 'seg_map_path': 'labels'},
            img_suffix=suffix,
            seg_map_suffix='.png',
            pipeline=pipeline,
        )
        self.indices = itertools.cycle(range(SCENES))
        self.batch = case.batch

    def __call__(self) -> None:
        """Load and augment a batch."""
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        try:
            some = itertools.islice(self.indices, self.batch)
            pseudo_collate([self.dataset[index] for index in some])
        finally:
            cv2.setNumThreads(threads)


def _write_scenes(root: Path, size: tuple[int, int], suffix: str) -> None:
    for name in ('images', 'labels'):
        (root / name).mkdir()
    for seed in range(SCENES):
        image, labels = render_street_scene(seed, 1024, 512)
        resized = cv2.resize(image, size[::-1])
        cv2.imwrite(str(root / 'images' / f'{seed}{suffix}'), resized)
        resized = cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(root / 'labels' / f'{seed}.png'), resized)
