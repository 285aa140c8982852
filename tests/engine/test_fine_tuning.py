"""Weights that a Runner loads: a training keeps what fits, a test takes all or none."""

import re

import pytest
import torch
from mmengine.hooks import Hook
from mmseg.registry import MODELS
from small_training import TEACHER, small_config

from sctnet.apis import dataset_meta_from_config
from sctnet.catalog import load_config
from sctnet.engine.runner import Runner
from sctnet.errors import CheckpointError

pytestmark = pytest.mark.slow

ALONE = {'model.siam': None, 'custom_hooks': [{'type': 'EMAHook'}]}
LAST = ('decode_head.conv_seg', 'auxiliary_head.conv_seg')
NAMES = dataset_meta_from_config(load_config('sctnet-t-streets'))['classes']


def checkpoint(path, classes, model='sctnet-t-streets'):
    """Write what a training with ``EMAHook`` leaves, of random weights."""
    cfg = load_config(model).model
    for head in ('decode_head', 'auxiliary_head'):
        if head in cfg:
            cfg[head].num_classes = len(classes)
    torch.manual_seed(7)
    state = MODELS.build(cfg).state_dict()
    path.parent.mkdir(exist_ok=True)
    content = {
        'meta': {'dataset_meta': {'classes': classes, 'palette': None}, 'iter': 500},
        'state_dict': state,
        'ema_state_dict': {f'module.{k}': v + 1 for k, v in state.items()},
        'optimizer': {'state': {}, 'param_groups': []},
        'param_schedulers': [{'last_step': 500}],
    }
    torch.save(content, path)
    return path, state


def log_of(work_dir):
    (log,) = work_dir.glob('*/*.log')
    return log.read_text()


class ReachedError(Exception):
    """A training has come to its first iteration."""


class First(Hook):
    """Keeps weights and their average before the first iteration, and ends there."""

    def before_train(self, runner):
        self.iteration = runner.iter
        self.weights = copied(runner.model)
        average = next(h for h in runner.hooks if hasattr(h, 'ema_model'))
        self.average = copied(average.ema_model.module)
        raise ReachedError


def first_weights(cfg):
    """Start to train ``cfg``; return a :class:`First`."""
    runner = Runner.from_cfg(cfg)
    runner.register_hook(first := First())
    with pytest.raises(ReachedError):
        runner.train()
    return first


def copied(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def test_a_training_starts_from_all_that_fits_of_a_work_folder(streets, tmp_path):
    """Other classes, a student's own SIAM left out, and averaged weights."""
    path, state = checkpoint(tmp_path / 'source' / 'iter_500.pth', ('a', 'b', 'c'))
    options = {**ALONE, 'load_from': str(path.parent)}
    first = first_weights(small_config(streets, tmp_path / 'work', options=options))
    assert first.iteration == 0
    for weights in (first.weights, first.average):
        assert {name.rpartition('.')[0] for name in weights} > set(LAST)
        for name, value in weights.items():
            same = value.shape == state[name].shape and torch.equal(value, state[name])
            assert same != name.startswith(LAST), name
    said = log_of(tmp_path / 'work')
    assert (
        'start afresh: decode_head.conv_seg, auxiliary_head.conv_seg (3 classes in the '
        'file, 19 here); not used: 6 of the file (siam.bfa, siam.sdha) from '
        f"'{path}'"
    ) in said


def test_for_the_same_classes_the_last_layers_go_on_too(streets, tmp_path):
    path, state = checkpoint(tmp_path / 'source' / 'iter_500.pth', NAMES)
    options = {**ALONE, 'load_from': str(path)}
    first = first_weights(small_config(streets, tmp_path / 'work', options=options))
    assert all(torch.equal(v, state[k]) for k, v in first.weights.items())
    assert re.search(r'loaded all \d+ weights, the last layers too; not used: 6 of', (
        log_of(tmp_path / 'work')
    ))  # fmt: skip


def test_another_network_is_refused_before_the_first_iteration(streets, tmp_path):
    path, _ = checkpoint(tmp_path / 'source' / 'iter_500.pth', NAMES, TEACHER)
    cfg = small_config(
        streets, tmp_path / 'work', options={**ALONE, 'load_from': str(path)}
    )
    with pytest.raises(CheckpointError, match=rf"^cannot load '{path}': .*a SegFormer"):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('name', ['sctnet-t-streets', TEACHER])
def test_a_test_takes_all_or_nothing_whatever_the_network(name, streets, tmp_path):
    path, state = checkpoint(tmp_path / 'source' / 'iter_500.pth', NAMES, name)
    options = {'custom_hooks': ALONE['custom_hooks']}
    cfg = small_config(streets, tmp_path / 'work', options=options, leaf=name)
    cfg.load_from = str(path)
    Runner.from_cfg(cfg).test()
    number = sum(not key.endswith('num_batches_tracked') for key in state)
    assert f"loaded all {number} weights from '{path}'" in log_of(tmp_path / 'work')
    torch.save({'state_dict': dict(list(state.items())[1:])}, path)
    cfg.experiment_name += '_again'
    with pytest.raises(
        CheckpointError, match=rf"^cannot load '{path}': .*it lacks 1 of"
    ):
        Runner.from_cfg(cfg).test()


def test_a_teachers_backbone_starts_from_a_file_that_fits_or_not_at_all(
    streets, tmp_path
):
    path, state = checkpoint(tmp_path / 'source' / 'iter_500.pth', NAMES, TEACHER)
    init_cfg = {'type': 'Pretrained', 'checkpoint': str(path)}
    options = {
        'model.backbone.init_cfg': init_cfg,
        'custom_hooks': [{'type': 'EMAHook'}],
    }

    def config(folder):
        return small_config(streets, tmp_path / folder, options=options, leaf=TEACHER)

    first = first_weights(config('fits'))
    loaded = {k for k, v in first.weights.items() if torch.equal(v, state[k])}
    assert loaded > {name for name in state if name.startswith('backbone.')}
    assert 'decode_head.conv_seg.weight' not in loaded
    assert re.search(rf"backbone: loaded all \d+ weights from '{path}'", (
        log_of(tmp_path / 'fits')
    ))  # fmt: skip
    checkpoint(path, NAMES)  # a student's
    with pytest.raises(CheckpointError, match='it holds an SCTNet; name'):
        Runner.from_cfg(config('foreign')).train()
