import runpy
import sys

import numpy as np
import pytest
from pretraining_support import PROJECT, TINY, write_jpeg


@pytest.fixture
def folders(tmp_path):
    """Three classes, of which each has its colour: 4 images to train, 2 to validate."""
    rng = np.random.default_rng(0)
    for part, count in (('train', 4), ('val', 2)):
        for number, name in enumerate(('cat', 'dog', 'tree')):
            for index in range(count):
                image = rng.integers(0, 120, (64, 70, 3), np.uint8)
                image[..., number] += 120
                write_jpeg(tmp_path / 'images' / part / name / f'{index}.jpg', image)
    return tmp_path / 'images'


@pytest.fixture
def run(monkeypatch):
    """Run a script as a program, in this process; return its exit status."""

    def start(script, *words):
        monkeypatch.setattr(sys, 'argv', [str(script), *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(str(script), run_name='__main__')
        return caught.value.code

    return start


@pytest.fixture
def train(run, folders, tmp_path, monkeypatch):
    """Train the tiny classifier on the three classes, for two iterations by default."""
    monkeypatch.setenv('LOCAL_RANK', '0')  # which a run sets, for good

    def start(*options, work='work', root=folders, classes=3, more=()):
        return run(
            PROJECT / 'train.py', TINY, '--data-root', root,
            '--work-dir', tmp_path / work, *more, '--cfg-options',
            f'model.head.num_classes={classes}', 'randomness.seed=1',
            f'visualizer.name={work}', f'experiment_name={work}{len(more)}',
            'train_dataloader.batch_size=4', 'train_dataloader.num_workers=0',
            'train_dataloader.persistent_workers=False',
            'train_dataloader.prefetch_factor=None', 'val_dataloader.num_workers=0',
            'val_dataloader.persistent_workers=False', 'train_cfg.val_interval=2',
            'default_hooks.checkpoint.interval=2', 'default_hooks.logger.interval=1',
            *(options or ('train_cfg.max_iters=2',)),
        )  # fmt: skip

    return start
