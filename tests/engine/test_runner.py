"""Runs that are hit from outside end with a sentence."""

import errno
import multiprocessing
import os
import signal

import pytest
import torch
from mmengine.hooks import Hook
from small_training import small_config

from sctnet.engine.runner import Runner
from sctnet.errors import ConfigError, DataError, OutputError, ProcessError

ALONE = {'model.siam': None, 'custom_hooks': []}
WORKERS = {
    'train_dataloader.num_workers': 1,
    'train_dataloader.persistent_workers': True,
}


class At(Hook):
    """Calls something before an iteration."""

    def __init__(self, iteration, call):
        self.iteration, self.call = iteration, call

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            self.call()


def train(streets, tmp_path, call, options=None, iterations=50):
    cfg = small_config(
        streets, tmp_path, options={**ALONE, **(options or {})}, iterations=iterations
    )
    runner = Runner.from_cfg(cfg)
    runner.register_hook(At(2, call))
    runner.train()


def kill_worker(number=signal.SIGKILL):
    for child in multiprocessing.active_children():
        os.kill(child.pid, number)


def test_a_killed_loader_worker_ends_a_training_with_its_name(streets, tmp_path):
    with pytest.raises(ProcessError) as raised:
        train(streets, tmp_path, kill_worker, WORKERS)
    said = str(raised.value)
    assert 'worker that loads data (process ' in said
    assert 'is gone' in said  # killed by a signal, or exited unexpectedly
    assert 'num_workers' in said
    assert '--resume' in said


def test_a_worker_killed_while_it_hands_over_a_batch_is_named(
    streets, tmp_path, monkeypatch
):
    def reset(*_):
        kill_worker()
        raise ConnectionResetError(errno.ECONNRESET, 'Connection reset by peer')

    def begin():
        monkeypatch.setattr(
            'torch.utils.data.dataloader._MultiProcessingDataLoaderIter._try_get_data',
            reset,
        )

    with pytest.raises(ProcessError, match=r'loads data \(process \d+\) is gone'):
        train(streets, tmp_path, begin, WORKERS)


def test_a_label_map_that_breaks_in_mid_training_is_named(tmp_path):
    from sctnet.datasets.street_scenes import write_street_scenes

    scenes = write_street_scenes(tmp_path / 'scenes', 2, 1, size=(128, 64))

    def cut():
        for path in (scenes / 'gtFine' / 'train').rglob('*.png'):
            path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(DataError, match=r'files (in a row|are broken).*labelTrainIds'):
        train(scenes, tmp_path / 'work', cut, WORKERS)


def test_a_full_disk_is_told_with_its_remedy(streets, tmp_path):
    def fill():
        raise OSError(errno.ENOSPC, 'No space left on device', 'log')

    with pytest.raises(OutputError, match=r"'log' \(No space left.*--resume"):
        train(streets, tmp_path, fill)


def test_errors_of_code_are_not_hidden(streets, tmp_path):
    def fail():
        raise ValueError('a fault of ours')

    with pytest.raises(ValueError, match=r'^a fault of ours$'):
        train(streets, tmp_path, fail)


@pytest.mark.parametrize(
    ('option', 'value'),
    [
        ('optim_wrapper.optimizer.type', 'Nothing'),
        ('load_from', (1,)),
        ('param_scheduler.0.type', 3),
        ('train_cfg.max_iters', 'many'),
        ('val_dataloader.batch_size', 'x'),
        ('train_dataloader.dataset.pipeline.2.type', 'Nothing'),
    ],
)
def test_what_cannot_be_built_is_the_configs_fault(option, value, streets, tmp_path):
    with pytest.raises(ConfigError, match='--cfg-options') as raised:
        train(streets, tmp_path, lambda: None, {option: value})
    assert '\n' not in str(raised.value)


def test_a_sound_training_trains_and_validates(streets, tmp_path):
    train(streets, tmp_path, lambda: None, iterations=3)
    assert torch.load(tmp_path / 'iter_3.pth')['meta']['iter'] == 3
