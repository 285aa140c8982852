"""Epochs go on after any iteration as if there had been no interruption."""

import random
import uuid

import pytest
import torch
from mmengine.dataset import InfiniteSampler
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import METRICS
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn
from torch.testing import assert_close
from torch.utils.data import BatchSampler, DataLoader, Dataset

from sctnet.engine import AtomicCheckpointHook, ResumableEpochTrainLoop
from sctnet.engine.checkpoint_hook import newest_checkpoint
from sctnet.errors import ConfigError
from sctnet.evaluation.training_curves import read_scalars
from sctnet.weights.safe_files import read_checkpoint
from sctnet.weights.segmentor_files import best_checkpoint

IMAGES = 7
LOADED: list = []


@pytest.fixture(autouse=True)
def quick_start(monkeypatch):
    """Without asking compilers and drivers for their versions."""
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)


class Draws(Dataset):
    """Samples that are drawn, and know their index."""

    def __init__(self, images=IMAGES):
        self.images = images

    def __len__(self):
        return self.images

    def __getitem__(self, index):
        if index >= self.images:
            raise IndexError
        LOADED.append(int(index))
        return {'inputs': torch.tensor([float(index), random.random()])}


class Line(BaseModel):
    """Drops paths, keeps the indices of its batches, and may have a batch norm."""

    def __init__(self, norm=None):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, 4), norm or nn.Identity(), nn.Dropout(0.5), nn.Linear(4, 1)
        )
        self.seen = []

    def forward(self, inputs, mode='tensor'):
        if mode == 'predict':
            return [BaseDataElement() for _ in inputs]
        self.seen.append([int(value) for value in inputs[:, 0]])
        return {'loss': self.layers(inputs).square().mean()}


def runner_of(work_dir, epochs=3, resume=None, model=None, loop=None, **more):
    loader = {
        'batch_size': 2,
        'num_workers': 0,
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'dataset': {'type': Draws},
        'collate_fn': {'type': 'default_collate'},
        **more.pop('loader', {}),
    }
    torch.manual_seed(0)
    options = {
        'model': model or Line(),
        'work_dir': str(work_dir),
        'experiment_name': uuid.uuid4().hex,
        'train_dataloader': loader,
        'optim_wrapper': {'optimizer': {'type': 'Adam', 'lr': 0.1}},
        'param_scheduler': [
            {'type': 'PolyLR', 'by_epoch': False, 'eta_min': 0.01},
            {'type': 'MultiStepLR', 'by_epoch': True, 'milestones': [1, 2]},
        ],
        'train_cfg': {
            'type': ResumableEpochTrainLoop,
            'max_epochs': epochs,
            **(loop or {}),
        },
        'default_hooks': {
            **checkpoints(by_epoch=True, interval=1),
            'logger': {'type': 'LoggerHook', 'interval': 1},
        },
        'log_processor': {'by_epoch': True},
        'randomness': {'seed': 3},
        'load_from': resume and str(resume),
        'resume': resume is not None,
    }
    return Runner(**{**options, **more})


def checkpoints(**hook):
    return {'checkpoint': {'type': AtomicCheckpointHook, **hook}}


def train(*args, **options):
    runner = runner_of(*args, **options)
    runner.train()
    return runner


def assert_same_training(*paths):
    ours, expected = (read_checkpoint(path) for path in paths)
    assert ours['param_schedulers'] == expected['param_schedulers']
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        assert (part in ours) == (part in expected)
        assert_close(ours.get(part), expected.get(part), rtol=0, atol=0)
    for part in ('epoch', 'iter'):
        assert ours['meta'][part] == expected['meta'][part]


def joined(batches):
    return [index for batch in batches for index in batch]


def epochs_of(seen, length):
    return [joined(seen[i : i + length]) for i in range(0, len(seen), length)]


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own(tmp_path):
    runner = train(tmp_path)
    assert (runner.epoch, runner.iter, runner.max_iters) == (3, 12, 12)
    shown = epochs_of(runner.model.seen, 4)
    assert all(sorted(epoch) == list(range(IMAGES)) for epoch in shown)
    assert len({tuple(epoch) for epoch in shown}) == 3
    names = sorted(path.name for path in tmp_path.glob('*.pth'))
    assert names == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth']
    meta = read_checkpoint(tmp_path / 'epoch_2.pth')['meta']
    assert (meta['epoch'], meta['iter']) == (2, 8)


WAYS = {
    'plain': {},
    'workers': {
        'loader': {'drop_last': True, 'num_workers': 1, 'persistent_workers': True}
    },
    'ema': {'custom_hooks': [{'type': 'EMAHook', 'momentum': 0.1}]},
}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Trainings that were never interrupted, with a checkpoint after each iteration."""
    done = {}

    def get(way, by_epoch):
        if (way, by_epoch) not in done:
            folder = tmp_path_factory.mktemp(way)
            hooks = checkpoints(interval=1, by_epoch=by_epoch)
            train(folder, default_hooks=hooks, **WAYS[way])
            done[way, by_epoch] = folder
        return done[way, by_epoch]

    return get


@pytest.mark.parametrize(
    ('way', 'checkpoint'),
    [
        *(('plain', f'iter_{i}') for i in (1, 4, 6, 11)),  # 4 ends the first epoch
        *(('plain', f'epoch_{i}') for i in (1, 2)),
        *(('workers', name) for name in ('iter_3', 'iter_5', 'epoch_1')),
        ('ema', 'iter_6'),
    ],
)
def test_resumed_after_any_iteration_it_ends_with_the_same_bits(
    whole, tmp_path, way, checkpoint
):
    by_epoch = checkpoint.startswith('epoch')
    folder = whole(way, by_epoch)
    LOADED.clear()
    resumed = train(
        tmp_path,
        resume=folder / f'{checkpoint}.pth',
        default_hooks=checkpoints(interval=1, by_epoch=by_epoch),
        randomness={'seed': 8},  # the checkpoint's is taken
        **WAYS[way],
    )
    assert_same_training(*(path / newest(folder) for path in (tmp_path, folder)))
    assert resumed.epoch == 3
    if way != 'workers':  # nothing is loaded that was seen
        assert joined(resumed.model.seen) == LOADED


def newest(folder):
    return newest_checkpoint(folder).rpartition('/')[2]


def test_a_checkpoint_of_epochs_of_another_length_is_refused(whole, tmp_path):
    path = whole('plain', True) / 'epoch_2.pth'
    said = r'iteration 8, after 2 epochs of 4 iterations, and an epoch has 3 here'
    with pytest.raises(ConfigError, match=said):
        train(tmp_path, resume=path, loader={'batch_size': 3})


def test_iterations_are_not_taken_for_epochs(whole, tmp_path):
    checkpoint = read_checkpoint(whole('plain', True) / 'epoch_2.pth')
    checkpoint['meta'].update(epoch=0)  # as the loop of iterations writes it
    del checkpoint['message_hub']['runtime_info']['epoch_length']
    torch.save(checkpoint, tmp_path / 'iter_8.pth')
    with pytest.raises(
        ConfigError, match='iteration 8 of a training that counted no epochs'
    ):
        train(tmp_path, resume=tmp_path / 'iter_8.pth')


class Endless(InfiniteSampler):
    pass


@pytest.mark.parametrize(
    ('loader', 'said'),
    [
        ({'batch_size': 8, 'drop_last': True}, 'no whole batch, only 7 images'),
        ({'sampler': {'type': Endless}}, 'Endless has no epochs: set train_data'),
    ],
)
def test_an_epoch_without_a_batch_or_an_end_is_refused(tmp_path, loader, said):
    with pytest.raises(ConfigError, match=said):
        train(tmp_path, loader=loader)


def test_an_infinite_sampler_of_a_recipe_becomes_one_with_epochs(tmp_path):
    runner = train(tmp_path, loader={'sampler': {'type': 'InfiniteSampler'}})
    shown = epochs_of(runner.model.seen, 4)
    assert all(sorted(epoch) == list(range(IMAGES)) for epoch in shown)
    assert not runner.train_dataloader.sampler.endless  # a batch may be cut short


class Pairs(BatchSampler):
    """Keeps back the last index, or promises a batch too many."""

    extra = 0

    def __len__(self):
        return len(self.sampler) // 2 + self.extra

    def __iter__(self):
        indices = list(self.sampler)
        return iter([indices[i : i + 2] for i in range(0, len(indices) - 1, 2)])


def test_a_batch_sampler_resumes_in_the_middle_of_an_epoch(tmp_path, monkeypatch):
    options = {
        'loader': {'batch_sampler': {'type': Pairs, 'drop_last': True}},
        'default_hooks': checkpoints(interval=1, by_epoch=False),
    }
    train(tmp_path / 'whole', **options)
    train(tmp_path / 'ours', resume=tmp_path / 'whole' / 'iter_5.pth', **options)
    assert_same_training(*(tmp_path / n / 'iter_9.pth' for n in ('ours', 'whole')))
    monkeypatch.setattr(Pairs, 'extra', 1)
    with pytest.raises(ConfigError, match='had 3 batches and its sampler promised 4'):
        train(tmp_path / 'wrong', **options)


def test_a_loader_that_is_built_resumes_where_it_was(tmp_path):
    seen = {}
    for name, resume in (('whole', None), ('ours', tmp_path / 'whole' / 'iter_6.pth')):
        loader = DataLoader(Draws(), batch_size=2)
        runner = train(
            tmp_path / name,
            resume=resume,
            train_dataloader=loader,
            default_hooks=checkpoints(interval=2, by_epoch=False),
        )
        seen[name] = runner.model.seen
    assert seen['ours'] == seen['whole'][6:]


@METRICS.register_module()
class Asked(BaseMetric):
    """Returns the iteration after which it was asked."""

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {'mIoU': float(MessageHub.get_current_instance().get_info('iter'))}


def validated(epochs, **loop):
    return {
        'epochs': epochs,
        'loop': loop,
        'val_dataloader': {
            'sampler': {'type': 'DefaultSampler', 'shuffle': False},
            'dataset': {'type': Draws, 'images': 2},
            'collate_fn': {'type': 'default_collate'},
        },
        'val_evaluator': {'type': Asked},
        'val_cfg': {},
    }


@pytest.mark.parametrize('by_epoch', [True, False])
def test_validation_begins_where_it_is_told_and_the_curves_are_right(
    tmp_path, by_epoch
):
    hooks = {
        **checkpoints(by_epoch=True, interval=1, save_best='mIoU'),
        'logger': {
            'type': 'LoggerHook',
            'interval': 1,
            'log_metric_by_epoch': by_epoch,
        },
    }
    options = validated(5, val_begin=2, val_interval=2)
    train(
        tmp_path, default_hooks=hooks, log_processor={'by_epoch': by_epoch}, **options
    )
    scalars = read_scalars(tmp_path)
    assert [step for step, _ in scalars['loss']] == list(range(1, 21))
    assert [step for step, _ in scalars['mIoU']] == [8, 16, 20]
    assert (tmp_path / 'best_mIoU_epoch_5.pth').is_file()
    assert best_checkpoint(tmp_path).name == 'best_mIoU_epoch_5.pth'
    line = 'Epoch(train) [2][3/4]' if by_epoch else 'Iter(train) [ 7/20]'
    assert line in log_of(tmp_path)


def log_of(work_dir):
    return next(work_dir.glob('*/*.log')).read_text()


def test_gradients_are_accumulated_over_the_end_of_an_epoch(tmp_path):
    options = {
        'optim_wrapper': {
            'optimizer': {'type': 'Adam', 'lr': 0.1},
            'accumulative_counts': 2,
        },
        'loader': {'drop_last': True},  # three iterations an epoch
        'default_hooks': checkpoints(interval=2, by_epoch=True),
        'epochs': 4,
    }
    train(tmp_path / 'whole', **options)
    train(tmp_path / 'ours', resume=tmp_path / 'whole' / 'epoch_2.pth', **options)
    assert_same_training(*(tmp_path / n / 'epoch_4.pth' for n in ('ours', 'whole')))
    assert 'accumulated over' not in log_of(tmp_path / 'ours')
    options['default_hooks'] = checkpoints(interval=1, by_epoch=True)
    train(tmp_path / 'odd', **{**options, 'epochs': 1})
    assert 'every 3 iterations, and gradients are accumulated over 2' in log_of(
        tmp_path / 'odd'
    )
