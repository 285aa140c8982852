"""Losses, gradients and statistics of a step against the original's, float64."""

import copy
import json

import pytest
from original_training import (
    PROJECTIONS,
    STUDENT,
    build,
    check_losses,
    close,
    make_batch,
    total_of,
)
from support import (
    GOLDEN,
)

from sctnet.weights.key_map import port_name

pytestmark = pytest.mark.parity
RUNS = {
    'train_ade_s': 'ade_s',
    'train_ade_s_125x187': 'ade_s',
    'train_ade_b': 'ade_b',
    'train_coco_b': 'coco_b',
    'train_city_s_seg75': 'city_s_seg75',
}


@pytest.fixture(scope='module', params=RUNS)
def built(request, tmp_path_factory):
    """The student of a config, its teacher, and the golden figures."""
    golden = json.loads((GOLDEN / f'{request.param}.json').read_text())
    classes = golden['labels']['num_classes']
    folder = tmp_path_factory.mktemp('teacher')
    segmentor, _ = build(RUNS[request.param], folder, classes)
    return segmentor, golden


@pytest.mark.parametrize('shortcuts', [True, False])
def test_losses_gradients_and_statistics_equal_the_originals(built, shortcuts):
    """One forward and backward pass."""
    original, golden = built
    segmentor = copy.deepcopy(original)
    segmentor.attach_teacher(original.teacher)
    segmentor.train_cfg = {'shortcuts': shortcuts}
    losses = segmentor.loss(*make_batch(golden['image'], golden['labels']))
    total_of(losses).backward()
    golden = golden['float64']
    check_losses(losses, golden)
    check_gradients(segmentor, golden['grad_norm'])
    check_statistics(segmentor, golden['bn_after_one_forward'])


def check_gradients(segmentor, expected):
    ours = {name: p.grad for name, p in segmentor.named_parameters()}
    compared = 0
    for name, norm in expected.items():
        if not name.startswith(STUDENT + PROJECTIONS):
            assert 'teacher_' in name
            continue
        # Biases before a batch norm have no true gradient, rounding alone.
        close(ours.pop(port_name(name)).norm(), norm, atol=1e-10, name=name)
        compared += 1
    assert not ours
    assert compared == 164
    assert all(p.grad is None for p in segmentor.teacher.parameters())


def check_statistics(segmentor, expected):
    modules = dict(segmentor.named_modules())
    for name, figures in expected.items():
        if 'teacher_head' in name:
            place = name.removeprefix('auxiliary_head.1.teacher_head.')
            norm = segmentor.teacher.segmentor.decode_head.get_submodule(place)
        else:
            norm = modules[port_name(f'{name}.weight').removesuffix('.weight')]
        for kind in ('mean', 'var'):
            values = getattr(norm, f'running_{kind}')
            close(values[:8], figures[f'running_{kind}_first8'], name=name)
            close(values.norm(), figures[f'running_{kind}_norm'], name=name)
        assert int(norm.num_batches_tracked) == figures['num_batches_tracked']
        assert norm.training == figures['training']
        assert norm.eps == figures['eps']
