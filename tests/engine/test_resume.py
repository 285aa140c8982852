"""A training that is killed and resumed is the training that was never killed."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from mmengine.fileio import LocalBackend
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS
from tool_process import call
from torch import nn
from torch.testing import assert_close

from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine import AtomicCheckpointHook, ResumableTrainLoop
from sctnet.engine.train_loop import NumberedSampler
from sctnet.weights.safe_files import read_checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        torch.cuda.is_available(),
        reason='two equal trainings differ on a GPU',
    ),
]

CONFIG = """
from mmengine.config import read_base

with read_base():
    from sctnet.configs.sctnet.sctnet_t_1xb4_600_streets_128x256 import *

custom_hooks.append(dict(type='EMAHook', momentum=0.1))
model.update(data_preprocessor=dict(size=(64, 64)), backbone=dict(drop_path_rate=0.3))
train_pipeline[3].update(crop_size=(64, 64))
train_dataloader.update(batch_size=2, num_workers=1)
default_hooks.update(checkpoint=dict(interval=2), logger=dict(interval=1))
param_scheduler[0].update(max_iters=8, warmup_iters=2)
train_cfg.update(max_iters=8, val_interval=3)
randomness = dict(seed=3)
"""


class Training:
    def __init__(self, folder):
        init_default_scope('mmseg')
        self.folder = folder
        write_street_scenes(folder / 'data', num_train=6, num_val=2, size=(128, 64))
        (folder / 'small.py').write_text(CONFIG)
        torch.manual_seed(0)
        teacher = MODELS.build(load_config('segformer-t-streets').model)
        weights = {'state_dict': teacher.state_dict(), 'meta': {}}
        torch.save(weights, folder / 'teacher.pth')

    @staticmethod
    def words(work_dir, *options):
        words = ('small.py', '--work-dir', work_dir, '--teacher', 'teacher.pth')
        return [*words, '--data-root', 'data', *options]

    def start(self, work_dir, *options):
        words = self.words(work_dir, *options)
        with open(self.folder / f'{work_dir}.txt', 'w') as output:
            return subprocess.Popen(
                [sys.executable, '-W', 'ignore', '-m', 'sctnet', 'train', *words],
                cwd=self.folder,
                env={**os.environ, 'OMP_NUM_THREADS': '1'},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, work_dir):
        return (self.folder / f'{work_dir}.txt').read_text()

    def finish(self, work_dir, *options, status=0):
        assert self.start(work_dir, *options).wait(300) == status, self.said(work_dir)
        return self.said(work_dir)

    def kill(self, work_dir, iteration, delay, *options):
        process = self.start(work_dir, *options)
        reached = rf'Iter\(train\) \[[{iteration}-8]/8\]'
        while not re.search(reached, self.said(work_dir)):
            assert process.poll() is None, self.said(work_dir)
            time.sleep(0.01)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope='module')
def training(tmp_path_factory):
    training = Training(tmp_path_factory.mktemp('resume'))
    training.finish('whole')
    return training


def assert_same_training(*paths):
    """Compare all that a training goes on from, to the last bit."""
    ours, expected = (read_checkpoint(path) for path in paths)
    assert ours.get('param_schedulers') == expected.get('param_schedulers')
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        assert_close(ours.get(part, {}), expected.get(part, {}), rtol=0, atol=0)
    ours, expected = (c['message_hub']['runtime_info'] for c in (ours, expected))
    assert ours.get('best_score') == expected.get('best_score')


@pytest.mark.more
def test_killed_twice_it_ends_with_the_same_bits(training):
    moments = random.Random(0)
    for first, last in ((1, 3), (4, 6)):
        iteration, delay = moments.randint(first, last), moments.uniform(0, 0.2)
        training.kill('killed', iteration, delay, '--resume')
    assert 'resumed epoch: 0, iter: ' in training.finish('killed', '--resume')
    files = [training.folder / name / 'iter_8.pth' for name in ('killed', 'whole')]
    assert_same_training(*files)
    assert len(read_checkpoint(files[0])['optimizer']['state']) > 100


@pytest.mark.more
def test_a_truncated_newest_checkpoint_is_named_and_the_one_before_used(training):
    whole = training.folder / 'whole'
    newest = shutil.copytree(whole, training.folder / 'truncated') / 'iter_8.pth'
    newest.write_bytes(newest.read_bytes()[:-1000])
    done = call('train', *training.words('truncated', '--resume'), cwd=training.folder)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    (warning,) = (line for line in said.splitlines() if 'WARNING - skipping' in line)
    assert "iter_8.pth' is truncated" in warning
    assert 'resumed epoch: 0, iter: 6' in said
    assert_same_training(newest, whole / 'iter_8.pth')


class Noise(torch.utils.data.Dataset):
    loaded: ClassVar = []

    def __len__(self):
        return 1000

    def __getitem__(self, index):
        self.loaded.append(index)
        draws = random.random(), np.random.rand(), float(torch.rand(()))
        return {'inputs': torch.tensor([index / 1000, *draws])}


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 1))

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layers(inputs).square().mean()}


def runner_of(work_dir, max_iters, checkpoint=None, batch=2, workers=0, **hook):
    hook = {'type': AtomicCheckpointHook, 'by_epoch': False, 'interval': 2, **hook}
    return Runner(
        # mmengine writes the seed into the dict that its Runners share by default.
        randomness={'seed': None},
        model=Line(),
        work_dir=str(work_dir),
        experiment_name=f'{work_dir.parent.name}_{work_dir.name}_{max_iters}',
        train_dataloader={
            'batch_size': batch,
            'num_workers': workers,
            'sampler': {'type': 'InfiniteSampler'},
            'dataset': {'type': Noise},
            'collate_fn': {'type': 'default_collate'},
        },
        optim_wrapper={'optimizer': {'type': 'Adam', 'lr': 0.1}},
        train_cfg={'type': ResumableTrainLoop, 'max_iters': max_iters},
        default_hooks={'checkpoint': hook},
        load_from=checkpoint and str(checkpoint),
        resume=checkpoint is not None,
    )


def test_a_training_without_a_seed_goes_on_with_its_checkpoints(tmp_path):
    ours, whole = tmp_path / 'ours', tmp_path / 'whole'
    uninterrupted = runner_of(whole, 8, workers=1)
    uninterrupted.train()
    resumed = runner_of(ours, 8, whole / 'iter_4.pth', workers=2)
    assert resumed.seed != uninterrupted.seed
    resumed.train()
    assert_same_training(ours / 'iter_8.pth', whole / 'iter_8.pth')


def test_resuming_at_iteration_100_000_loads_nothing_that_was_seen(tmp_path):
    first = runner_of(tmp_path / 'first', 1)
    first.train()
    path = tmp_path / 'first' / 'iter_1.pth'
    checkpoint = read_checkpoint(path)
    checkpoint['meta']['iter'] = 100_000
    torch.save(checkpoint, path)
    Noise.loaded.clear()
    start = time.monotonic()
    runner_of(tmp_path / 'second', 100_001, path, batch=16).train()
    assert time.monotonic() - start < 30
    sampler = {'type': 'InfiniteSampler'}
    unskipped = NumberedSampler(sampler, Noise(), first.seed, start=0)
    expected = islice(unskipped, 1_600_000, 1_600_016)
    assert Noise.loaded == list(expected)


def cut_off(path, data):
    with open(path, 'wb') as file:
        file.write(data[:100])
    raise KeyboardInterrupt


def test_an_interrupted_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / 'work' / 'iter_2.pth'
    runner_of(path.parent, 2, max_keep_ckpts=1).train()
    before = path.read_bytes()
    monkeypatch.setattr(Path, 'write_bytes', cut_off)
    with pytest.raises(KeyboardInterrupt):
        runner_of(path.parent, 4, path, max_keep_ckpts=1).train()
    assert list(path.parent.glob('**/*.pth')) == [path]
    assert path.read_bytes() == before


def test_an_outdated_file_goes_when_the_new_one_is_there(tmp_path, monkeypatch):
    listings = []

    def remove(_, path):
        listings.append(sorted(file.name for file in Path(path).parent.glob('*.pth')))
        os.remove(path)

    monkeypatch.setattr(LocalBackend, 'remove', remove)
    best = {'save_best': 'acc', 'rule': 'greater'}
    runner = runner_of(tmp_path / 'work', 4, max_keep_ckpts=1, **best)
    runner.train()
    assert listings == [['iter_2.pth', 'iter_4.pth']]
    (hook,) = (h for h in runner.hooks if isinstance(h, AtomicCheckpointHook))
    hook.after_val_epoch(runner, {'acc': 0.5})
    runner.train_loop._iter = 6
    hook.after_val_epoch(runner, {'acc': 0.7})
    new = ['best_acc_iter_6.pth', 'iter_6.pth']
    assert len(listings) == 3
    assert all(set(new) <= set(listing) for listing in listings[1:])
    assert sorted(file.name for file in (tmp_path / 'work').glob('*.pth')) == new
