"""Runs that are hit from outside end with a sentence; bugs keep their traceback."""

import errno
import multiprocessing
import os
import signal

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import DATA_SAMPLERS
from small_training import small_config
from torch.utils.data import BatchSampler

from sctnet.cli.library_errors import explain_run
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.runner import Runner
from sctnet.errors import DataError, OutputError, ProcessError

pytestmark = pytest.mark.slow

ALONE = {'model.siam': None, 'custom_hooks': []}
PAIRS = {'type': 'PairsOfNeighbours', 'drop_last': True}
WORKERS = {'train_dataloader.num_workers': 1}


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
    with explain_run():  # as the command line does
        runner.train()
    return runner


def kill_worker():
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)


def test_the_screen_shows_what_happens_and_the_log_all(streets, tmp_path, capsys):
    runner = Runner.from_cfg(small_config(streets, tmp_path, options=ALONE))
    shown = capsys.readouterr().out
    written = '\n'.join(file.read_text() for file in tmp_path.rglob('*.log'))
    for long in ('Config:', 'System environment:', 'Hooks will be executed'):
        assert long in written
        assert long not in shown
    assert f"are in the log of '{runner.log_dir}'" in shown


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


def test_label_maps_that_break_in_mid_training_are_named(tmp_path):
    scenes = write_street_scenes(tmp_path / 'scenes', 2, 1, size=(128, 64))

    def cut():
        for path in (scenes / 'gtFine' / 'train').rglob('*.png'):
            path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(DataError, match=r'files (in a row|are broken).*labelTrainIds'):
        train(scenes, tmp_path / 'work', cut, WORKERS)


def test_a_long_training_leaves_a_broken_file_out_and_counts_it(tmp_path, caplog):
    scenes = write_street_scenes(tmp_path / 'scenes', 4, 1, size=(128, 64))
    path = sorted((scenes / 'leftImg8bit' / 'train').rglob('*.png'))[1]
    path.write_bytes(path.read_bytes()[:-200])
    repeated = {'train_cfg.max_broken_share': 0.25, 'train_dataloader.batch_size': 4}
    train(scenes, tmp_path / 'work', lambda: None, repeated, iterations=4)
    (log,) = (tmp_path / 'work').glob('*/*.log')
    said = log.read_text()
    assert said.count(f"skipped the broken file '{path}' (truncated") == 1
    assert '1 of 4 so far' in said
    assert '1 broken files were skipped' in said


@pytest.mark.parametrize('part', ['leftImg8bit', 'gtFine'])
def test_validation_ends_with_the_name_of_a_broken_file(part, tmp_path):
    scenes = write_street_scenes(tmp_path / 'scenes', 2, 1, size=(128, 64))
    for path in (scenes / part / 'val').rglob('*.png'):
        path.write_bytes(path.read_bytes()[:-100])
    options = {**WORKERS, 'val_dataloader.num_workers': 1}
    with pytest.raises(DataError, match=rf"^'{scenes}/{part}/val/.*png' is broken \("):
        train(scenes, tmp_path / 'work', lambda: None, options, iterations=2)


def test_a_full_disk_is_told_and_errors_of_code_are_not_hidden(streets, tmp_path):
    def fill():
        raise OSError(errno.ENOSPC, 'No space left on device', 'log')

    def fail():
        raise ValueError('a fault of ours')

    with pytest.raises(OutputError, match=r"'log' \(No space left.*--resume"):
        train(streets, tmp_path / 'a', fill)
    with pytest.raises(ValueError, match=r'^a fault of ours$'):
        train(streets, tmp_path / 'b', fail)


@DATA_SAMPLERS.register_module()
class PairsOfNeighbours(BatchSampler):
    """A batch sampler that asks the data set about each index, as mmdet's do."""

    def __iter__(self):
        pair = []
        for index in self.sampler:
            assert self.sampler.dataset.get_data_info(index)['img_path']
            pair.append(index)
            if len(pair) == 2:
                yield pair
                pair = []


@pytest.mark.parametrize(
    ('options', 'length'),
    [
        ({'train_dataloader.batch_sampler': PAIRS}, 3),
        ({'train_dataloader.sampler': {'type': 'DefaultSampler', 'shuffle': True}}, 3),
        ({'train_dataloader.prefetch_factor': 2}, 3),  # which workers alone take
        (
            {
                'train_cfg': {'_delete_': True, 'by_epoch': True, 'max_epochs': 2},
                'train_dataloader.sampler': {'type': 'DefaultSampler', 'shuffle': True},
                'default_hooks.checkpoint.by_epoch': True,
                'default_hooks.checkpoint.interval': 1,
            },
            2,
        ),
    ],
    ids=['batch sampler', 'sampler', 'no workers', 'epochs'],
)
def test_trainings_of_other_shapes_run_and_validate(streets, tmp_path, options, length):
    persistent = {'train_dataloader.persistent_workers': True}
    runner = train(
        streets, tmp_path, lambda: None, {**persistent, **options}, iterations=3
    )
    assert runner.iter == length
    name = 'epoch_2' if 'train_cfg' in options else 'iter_3'
    assert torch.load(tmp_path / f'{name}.pth')['meta']['iter'] == length
