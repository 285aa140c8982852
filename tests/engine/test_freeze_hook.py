"""Parts that stay as they are for the first iterations, and are trained then."""

import copy
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from small_training import small_config, train
from torch import nn

from sctnet.catalog import load_config, merge_options
from sctnet.engine import FreezeHook
from sctnet.engine.check_names import check_names
from sctnet.engine.runner import Runner
from sctnet.errors import ConfigError

FREEZE = {
    'default_hooks.freeze.type': 'FreezeHook',
    'default_hooks.freeze.iterations': 2,
    'default_hooks.freeze.parts': ['backbone', 'auxiliary_head.norm1'],
    'model.siam': None,
    'optim_wrapper.optimizer.weight_decay': 0.5,
}


class Watch(Hook):
    """Whether parts are in training mode, and their state, before each iteration."""

    priority = 'LOWEST'

    def __init__(self):
        self.modes, self.states = [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        model = runner.model
        parts = (model.backbone, model.auxiliary_head.norm1, model.decode_head)
        self.modes.append([{m.training for m in part.modules()} for part in parts])
        self.states.append(copy.deepcopy(model.state_dict()))


@pytest.mark.slow
def test_parts_are_frozen_for_so_many_iterations_and_resume_exactly(streets, tmp_path):
    watch = Watch()
    every = {'interval': 1, 'max_keep_ckpts': -1}
    options = {**FREEZE, 'default_hooks.checkpoint': every}
    cfg = small_config(streets, tmp_path / 'whole', options=options, iterations=4)
    record = train(cfg, lambda runner: runner.register_hook(watch))
    frozen, free = [{False}, {False}, {True}], [{True}, {True}, {True}]
    assert watch.modes == [frozen, frozen, free, free]
    first, _, third, last = watch.states
    for name, value in first.items():
        held = name.startswith(('backbone.', 'auxiliary_head.norm1.'))
        if 'num_batches' not in name:
            assert torch.equal(third[name], value) is held, name
        if held and 'running' in name:
            assert not torch.equal(last[name], value), name
    assert all(p.requires_grad for p in record.runner.model.parameters())
    again = small_config(streets, tmp_path / 'again', options=options, iterations=4)
    again.update(resume=True, load_from=str(tmp_path / 'whole/iter_1.pth'))
    runner = Runner.from_cfg(again)
    runner.train()
    for name, value in record.runner.model.state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], value), name


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.head = nn.Linear(2, 2)
        self.backbone[0].bias.requires_grad_(False)  # for good


class Fake:
    """What the hook asks of a Runner."""

    def __init__(self, model, iter=0):
        from mmengine.logging import MMLogger

        self.model, self.iter = model, iter
        self.logger = MMLogger.get_current_instance()


def test_what_is_frozen_for_good_stays_so():
    model = Model().train()
    hook, runner = FreezeHook(1), Fake(model)
    hook.before_train(runner)
    assert not any(p.requires_grad for p in model.backbone.parameters())
    hook.before_train_iter(runner, 0)
    assert not model.backbone[1].training
    runner.iter = 1
    hook.before_train_iter(runner, 0)
    assert model.backbone[1].training
    assert not model.backbone[0].bias.requires_grad
    assert model.backbone[0].weight.requires_grad


@pytest.mark.parametrize(
    ('parts', 'said'),
    [
        ('backbon', "no part 'backbon': did you mean 'backbone'"),
        (['head', 'nothing.there'], 'name some of'),
        (['backbone', 'head'], 'all that could be trained'),
    ],
)
def test_parts_that_cannot_be_frozen_are_said(parts, said):
    with pytest.raises(ConfigError, match=said):
        FreezeHook(1, parts).before_train(Fake(Model()))


def test_ddp_must_know_of_unused_parameters(monkeypatch):
    from sctnet.engine import freeze_hook

    class Wrapper(nn.Module):
        def __init__(self, unused):
            super().__init__()
            self.module, self.find_unused_parameters = Model(), unused

    wrapped = lambda model: isinstance(model, Wrapper)  # noqa: E731
    monkeypatch.setattr(freeze_hook, 'is_model_wrapper', wrapped)
    with pytest.raises(ConfigError, match='find_unused_parameters=True'):
        FreezeHook(1).before_train(Fake(Wrapper(False)))
    FreezeHook(1).before_train(Fake(Wrapper(True)))
    FreezeHook(1).before_train(Fake(Wrapper(False), iter=1))  # resumed beyond it


@pytest.mark.parametrize('iterations', [0, 1.5, True, '3'])
def test_iterations_are_a_number(iterations):
    with pytest.raises(ConfigError, match='whole number from 1 up'):
        FreezeHook(iterations)


@pytest.mark.parametrize('parts', [[], 5, None])
def test_parts_are_names(parts):
    with pytest.raises(ConfigError, match=r"names of modules, such as \['backbone'\]"):
        FreezeHook(3, parts=parts)


@pytest.mark.parametrize(
    'options',
    [
        {key: value for key, value in FREEZE.items() if 'hooks' in key},
        {'custom_hooks.1.type': 'FreezeHook', 'custom_hooks.1.iterations': 5},
        {'model.backbone.frozen_stages': 2, 'model.backbone.norm_eval': True},
        {'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult': 0.0},
    ],
)
def test_freezing_on_the_command_line_merges(options):
    cfg = load_config('sctnet-t-streets')
    merge_options(cfg, options)
    check_names(cfg)
    for key, value in options.items():
        node = cfg
        for part in key.split('.'):
            node = node[int(part)] if part.isdigit() else node[part]
        assert node == value


def test_a_place_far_beyond_the_end_of_a_list_is_refused():
    cfg = Config({'custom_hooks': [{'type': 'A'}]})
    with pytest.raises(ConfigError, match='cannot be merged'):
        merge_options(cfg, {'custom_hooks.5.type': 'B'})
    assert len(cfg.custom_hooks) == 1


def test_what_is_frozen_is_told(caplog):
    model = nn.ModuleDict({'backbone': nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))})
    model.backbone = model['backbone']
    model.backbone[0].requires_grad_(False)
    model.backbone.norm_eval = True
    runner = SimpleNamespace(model=model, logger=logging.getLogger('frozen'))
    with caplog.at_level(logging.INFO, 'frozen'):
        Runner._tell_what_is_frozen(runner)
    assert [record.message for record in caplog.records] == [
        '2 of 4 weights are frozen and keep their values, in backbone.0',
        "the backbone's norms keep their statistics (norm_eval)",
    ]
