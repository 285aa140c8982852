"""A training that is resumed goes on by its config: its length, its rate, its decay."""

import re
import uuid
from pathlib import Path

import mmengine.runner
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn

from sctnet.engine import AtomicCheckpointHook, ResumableTrainLoop
from sctnet.engine.runner import Runner
from sctnet.errors import CheckpointError, ConfigError
from sctnet.weights.safe_files import read_checkpoint

POLY = {'type': 'WarmupPolyLR', 'warmup_iters': 3, 'warmup_factor': 0.1}
POLY_OF_MMENGINE = [
    {'type': 'LinearLR', 'start_factor': 0.1, 'end': 3, 'by_epoch': False},
    {'type': 'PolyLR', 'begin': 3, 'eta_min': 1e-3, 'power': 0.9, 'by_epoch': False},
]
MOMENTUM = {'type': 'PolyMomentum', 'eta_min': 0.5, 'by_epoch': False}
SCHEDULES = {
    'ours': [{**POLY, 'eta_min': 1e-3}],
    'begins later': [{**POLY, 'begin': 2}],
    "mmengine's": POLY_OF_MMENGINE,
    'cosine': [{'type': 'CosineAnnealingLR', 'by_epoch': False}],
    'momentum': [POLY, MOMENTUM],
}
EPOCHS = {
    'ours': [POLY],
    "mmengine's": [
        {'type': 'LinearLR', 'start_factor': 0.1, 'end': 3, 'by_epoch': False},
        {'type': 'PolyLR', 'eta_min': 1e-3},
    ],
}


class Noise(torch.utils.data.Dataset):
    metainfo = {'classes': ('a', 'b')}  # noqa: RUF012

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return {'inputs': torch.full((4,), index / 6)}


class Line(BaseModel):
    def __init__(self, layers=2):
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(4, 4) for _ in range(layers)))

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layers(inputs).square().mean()}


class Values(Hook):
    """Keeps rate, decay and betas of every iteration."""

    def __init__(self):
        self.seen = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen[runner.iter] = [
            (group['lr'], group.get('weight_decay'), *group.get('betas', ()))
            for group in runner.optim_wrapper.param_groups
        ]


def runner_of(folder, schedule, length, checkpoint=None, kind=Runner, **changes):
    epochs, batch = changes.pop('epochs', False), changes.pop('batch', 2)
    loop = {'type': ResumableTrainLoop, 'max_iters': length}
    every = {'type': AtomicCheckpointHook, 'by_epoch': epochs, 'interval': 1}
    sampler = 'DefaultSampler' if epochs else 'InfiniteSampler'
    optimizer = {'type': 'AdamW', 'lr': 0.1, **changes.pop('optimizer', {})}
    several = {'custom_keys': {'0.bias': {'lr_mult': 10.0}}}
    options = {
        'model': Line(),
        'train_cfg': {'by_epoch': True, 'max_epochs': length} if epochs else loop,
        'optim_wrapper': {'optimizer': optimizer, 'paramwise_cfg': several},
        'custom_hooks': [Values()],
        **changes,
    }
    return kind(
        work_dir=str(folder),
        experiment_name=uuid.uuid4().hex,
        param_scheduler=schedule,
        train_dataloader={
            'batch_size': batch,
            'num_workers': 0,
            'sampler': {'type': sampler, 'shuffle': False},
            'dataset': {'type': Noise},
            'collate_fn': {'type': 'default_collate'},
        },
        default_hooks={'checkpoint': every},
        load_from=checkpoint and str(checkpoint),
        resume=checkpoint is not None,
        default_scope='mmseg',
        **options,
    )


def train(*args, **kwargs):
    """Train; return values of each iteration, and the warnings in the log."""
    runner = runner_of(*args, **kwargs)
    runner.train()
    (values,) = (hook for hook in runner.hooks if isinstance(hook, Values))
    logs = sorted(Path(runner.work_dir).rglob('*.log'), key=lambda p: p.stat().st_mtime)
    lines = logs[-1].read_text().splitlines()
    lines = [line for line in lines if 'deprecated' not in line]  # mmengine's own
    told = [line for line in lines if 'WARNING' in line or ' resumed epoch' in line]
    return values.seen, [line.partition(' - INFO - ')[2] or line for line in told]


def warnings(told):
    return [line.partition('WARNING - ')[2] for line in told if 'WARNING' in line]


def assert_same_values(seen, planned, iterations):
    assert list(seen) == list(iterations)
    for i in iterations:
        for ours, theirs in zip(seen[i], planned[i], strict=True):
            assert ours == pytest.approx(theirs, rel=1e-12, abs=0), i


@pytest.mark.parametrize('name', SCHEDULES)
@pytest.mark.parametrize(('before', 'after'), [(4, 9), (9, 6)])
def test_the_rate_is_that_of_a_training_planned_so(name, before, after, tmp_path):
    schedule = SCHEDULES[name]
    planned, told = train(tmp_path / 'planned', schedule, after)
    assert not told
    old, _ = train(tmp_path / 'work', schedule, before)
    file = tmp_path / 'work' / 'iter_4.pth'
    seen, told = train(tmp_path / 'on', schedule, after, file)
    assert_same_values(seen, planned, range(4, after))
    (line,) = warnings(told)
    # What mmengine logs: the rate of parameters without a factor of their own.
    assert 'learning rate at iteration 4 is' in line
    assert f'{planned[4][-1][0]:g} by the schedule' in line
    if 4 in old:
        assert f'was {old[4][-1][0]:g} by' in line


@pytest.mark.parametrize('name', EPOCHS)
def test_epochs_are_added_in_the_same_way(name, tmp_path):
    planned, _ = train(tmp_path / 'planned', EPOCHS[name], 4, epochs=True)
    assert len(planned) == 12
    assert len({values[-1] for values in planned.values()}) > 3
    train(tmp_path / 'work', EPOCHS[name], 2, epochs=True)
    file = tmp_path / 'work' / 'epoch_2.pth'
    seen, told = train(tmp_path / 'on', EPOCHS[name], 4, file, epochs=True)
    assert_same_values(seen, planned, range(6, 12))
    assert len(warnings(told)) == 1


@pytest.mark.parametrize('name', SCHEDULES)
def test_an_unchanged_config_goes_on_without_a_warning(name, tmp_path):
    whole, _ = train(tmp_path / 'whole', SCHEDULES[name], 6)
    seen, told = train(
        tmp_path / 'on', SCHEDULES[name], 6, tmp_path / 'whole' / 'iter_4.pth'
    )
    assert not warnings(told)
    (line,) = told
    assert 'resumed epoch: 0, iter: 4' in line
    assert 'optimizer (state of 4 weights)' in line
    assert line.endswith('nothing starts afresh')
    assert seen == {i: whole[i] for i in (4, 5)}
    ends = [read_checkpoint(tmp_path / one / 'iter_6.pth') for one in ('whole', 'on')]
    assert ends[0]['param_schedulers'] == ends[1]['param_schedulers']
    for part in ('state_dict', 'optimizer'):
        torch.testing.assert_close(ends[0][part], ends[1][part], rtol=0, atol=0)


def test_mmengines_own_runner_lengthens_our_schedule_too(tmp_path):
    schedule = [{**POLY, 'by_epoch': False}]
    theirs = mmengine.runner.Runner
    planned, _ = train(tmp_path / 'planned', schedule, 9)
    train(tmp_path / 'work', schedule, 4, kind=theirs)
    file = tmp_path / 'work' / 'iter_4.pth'
    seen, _ = train(tmp_path / 'on', schedule, 9, file, kind=theirs)
    assert_same_values(seen, planned, range(4, 9))


def test_other_values_of_the_optimizer_are_taken_and_told(tmp_path):
    train(tmp_path / 'work', [POLY], 6)
    file = tmp_path / 'work' / 'iter_4.pth'
    new = {'lr': 0.2, 'weight_decay': 0.5, 'betas': (0.8, 0.99)}
    planned, _ = train(tmp_path / 'planned', [POLY], 6, optimizer=new)
    seen, told = train(tmp_path / 'on', [POLY], 6, file, optimizer=new)
    assert_same_values(seen, planned, (4, 5))
    changed, rate = warnings(told)
    assert 'betas (0.9, 0.999) -> (0.8, 0.99)' in changed
    assert 'lr 0.1 -> 0.2' in changed
    assert 'weight_decay 0.01 -> 0.5' in changed
    assert f'{planned[4][-1][0]:g} by the schedule' in rate


def test_a_constant_rate_is_the_configs_too(tmp_path):
    train(tmp_path / 'work', None, 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    seen, told = train(tmp_path / 'on', None, 5, file, optimizer={'lr': 0.3})
    assert seen[4][-1][0] == 0.3
    assert 'lr 0.1 -> 0.3' in warnings(told)[0]
    # One group's factor alone.
    keys = {'custom_keys': {'0.bias': {'lr_mult': 1.0}}}
    wrapper = {'optimizer': {'type': 'AdamW', 'lr': 0.1}, 'paramwise_cfg': keys}
    _, told = train(tmp_path / 'one', None, 5, file, optim_wrapper=wrapper)
    assert 'lr 1.0 -> 0.1 (of 1 of 5 groups)' in warnings(told)[0]


OTHERS = {
    'SGD': ({'type': 'SGD', 'momentum': 0.9}, r'another optimizer \(.*betas'),
    'amsgrad': ({'amsgrad': True}, r'another optimizer \(without amsgrad\)'),
}


@pytest.mark.parametrize('name', OTHERS)
def test_another_optimizer_is_refused_with_the_remedy(name, tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    optimizer, words = OTHERS[name]
    with pytest.raises(CheckpointError, match=words) as raised:
        train(tmp_path / 'on', [POLY], 6, file, optimizer=optimizer)
    assert f'with load_from={file} and without --resume' in str(raised.value)
    assert 'optim_wrapper.optimizer' in str(raised.value)


def test_adam_after_adamw_is_taken(tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    _, told = train(tmp_path / 'on', [POLY], 4, file, optimizer={'type': 'Adam'})
    assert any('weight_decay 0.01 -> 0' in line for line in warnings(told))
    assert any('Adam, and was apart' in line for line in warnings(told))


def test_batches_of_another_size_are_told(tmp_path):
    _, told = train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    assert not warnings(told)
    _, told = train(tmp_path / 'on', [POLY], 6, file, batch=3)
    (line,) = (line for line in warnings(told) if 'images' in line)
    assert line.startswith('an iteration has 3 images now and had 2 before')
    _, told = train(tmp_path / 'same', [POLY], 8, tmp_path / 'on/iter_6.pth', batch=3)
    assert not [line for line in warnings(told) if 'images' in line]


def test_another_model_is_refused_with_the_remedy(tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    with pytest.raises(CheckpointError, match=r'cannot (resume|load) .* does not fit'):
        train(tmp_path / 'on', [POLY], 6, file, model=Line(layers=1))
    wrapper = {'optimizer': {'type': 'AdamW', 'lr': 0.1}}
    with pytest.raises(CheckpointError, match=r'paramwise_cfg.*with load_from='):
        train(tmp_path / 'grouped', [POLY], 6, file, optim_wrapper=wrapper)


DAMAGED = {
    'no meta': ('meta', None, 'does not say its epoch and iteration'),
    'text': ('meta', {'epoch': 0, 'iter': '4'}, 'does not say its epoch and iteration'),
    'optimizer': ('optimizer', {}, 'holds no state of an optimizer'),
    'groups': ('optimizer', {'state': {}, 'param_groups': []}, 'holds no state of an'),
}


@pytest.mark.parametrize('name', DAMAGED)
def test_a_checkpoint_without_a_place_is_refused_with_the_remedy(name, tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    part, value, words = DAMAGED[name]
    torch.save({**read_checkpoint(file), part: value}, file)
    with pytest.raises(CheckpointError, match=f'{words}.*with load_from='):
        train(tmp_path / 'on', [POLY], 6, file)


def test_a_finished_training_says_so_and_trains_nothing(tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    before = (tmp_path / 'work' / 'iter_4.pth').read_bytes()
    for length in (4, 3):
        file = tmp_path / 'work' / 'iter_4.pth'
        seen, told = train(tmp_path / 'work', [POLY], length, file)
        assert not seen
        assert f'finished, at iteration 4 of {length}' in warnings(told)[-1]
        assert 'raise train_cfg.max_iters' in warnings(told)[-1]
        assert file.read_bytes() == before


LENGTHS = {
    'ends early': ([{**POLY, 'max_iters': 3}], r'of lr ends at iteration 3 .* at 5'),
    'too long': ([{**POLY, 'max_iters': 9}], r'of lr is 9 iterations long .* 5: it'),
    "mmengine's": (
        [{'type': 'PolyLR', 'end': 3, 'by_epoch': False}],
        r'of lr ends at iteration 3 .* at 5',
    ),
    'momentum': ([POLY, {**MOMENTUM, 'end': 2}], 'of momentum ends at iteration 2'),
    'epochs': ([{'type': 'PolyLR'}], 'PolyLR counts epochs, which this'),
}


@pytest.mark.parametrize('name', LENGTHS)
def test_a_schedule_of_another_length_is_told_before_the_first_iteration(
    name, tmp_path
):
    schedule, words = LENGTHS[name]
    _, told = train(tmp_path, schedule, 5)
    (line,) = warnings(told)
    assert re.search(words, line), line


def test_what_starts_afresh_is_told(tmp_path):
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    loop = {'type': 'IterBasedTrainLoop', 'max_iters': 6}
    hooks = [Values(), {'type': 'EMAHook'}]
    _, told = train(
        tmp_path / 'on', [POLY], 6, file, custom_hooks=hooks, train_cfg=loop
    )
    (line,) = (line for line in told if 'resumed epoch' in line)
    assert line.endswith('moving average of the weights and random draws starts afresh')
    bare = read_checkpoint(file)
    del bare['optimizer'], bare['param_schedulers']
    torch.save(bare, tmp_path / 'bare.pth')
    seen, told = train(tmp_path / 'bare', [POLY], 6, tmp_path / 'bare.pth')
    assert told[0].endswith('optimizer starts afresh')
    planned, _ = train(tmp_path / 'planned', [POLY], 6)
    assert_same_values(seen, planned, (4, 5))


def test_other_classes_are_told(tmp_path, monkeypatch):
    train(tmp_path / 'work', [POLY], 4)
    monkeypatch.setattr(Noise, 'metainfo', {'classes': ('a', 'c')})
    file = tmp_path / 'work' / 'iter_4.pth'
    _, told = train(tmp_path / 'on', [POLY], 4, file)
    assert '(a, b; here a, c)' in warnings(told)[0]


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'by_epoch': True}, 'by_epoch=True out of'),
        ({'begin': 5}, 'begins at iteration 5 and ends at 5'),
    ],
)
def test_what_a_schedule_cannot_do_is_refused(options, words, tmp_path):
    with pytest.raises(ConfigError, match=words):
        train(tmp_path, [{**POLY, **options}], 5)


def test_a_refused_resume_leaves_the_config_of_the_training(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(
        mmengine.runner.Runner, 'dump_config', lambda self: written.append(self._resume)
    )
    train(tmp_path / 'work', [POLY], 4)
    file = tmp_path / 'work' / 'iter_4.pth'
    with pytest.raises(CheckpointError):
        train(tmp_path / 'work', [POLY], 6, file, model=Line(3))
    assert written == [False]
    train(tmp_path / 'work', [POLY], 6, file)
    assert written == [False, True]
