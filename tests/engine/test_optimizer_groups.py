import copy

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import MODELS

from sctnet.catalog import load_config

RECIPES = {  # and how many (rate, decay) they have
    'sctnet-s-ade': 3,
    'sctnet-s-seg50': 2,
    'sctnet-t-streets': 1,
    'segformer-b2-ade': 3,
}


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    return MODELS.build(load_config('sctnet-t-streets').model)


def build(model, recipe='sctnet-s-ade', single=False):
    cfg = copy.deepcopy(load_config(recipe).optim_wrapper)
    if single:
        del cfg['constructor']
    return build_optim_wrapper(model, cfg)


def options_of(wrapper):
    """Of each parameter what its group says."""
    return {
        id(p): {k: v for k, v in group.items() if k != 'params'}
        for group in wrapper.optimizer.param_groups
        for p in group['params']
    }


@pytest.mark.parametrize('recipe', RECIPES)
def test_equal_groups_are_one_and_no_parameter_has_other_options(model, recipe):
    merged, single = (build(model, recipe, single) for single in (False, True))
    assert len(merged.optimizer.param_groups) == RECIPES[recipe]
    assert options_of(merged) == options_of(single)


def train(model, wrapper, seed):
    torch.manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    wrapper.optimizer.step()


def test_the_state_of_an_optimizer_with_a_group_a_parameter_goes_on(model):
    ours, theirs = copy.deepcopy(model), copy.deepcopy(model)
    before = build(theirs, single=True)
    assert len(before.optimizer.param_groups) == len(list(model.parameters()))
    train(theirs, before, 0)
    for group in before.optimizer.param_groups:
        group['lr'] *= 0.5  # a schedule's
    ours.load_state_dict(theirs.state_dict())
    after = build(ours)
    after.load_state_dict(copy.deepcopy(before.state_dict()))
    assert len(after.optimizer.param_groups) == RECIPES['sctnet-s-ade']
    assert options_of(after).keys() != options_of(before).keys()
    for wrapper, network in ((before, theirs), (after, ours)):
        train(network, wrapper, 1)
    expected = theirs.state_dict()
    for key, value in ours.state_dict().items():
        assert torch.equal(value, expected[key]), key
    again = build(ours)
    again.load_state_dict(copy.deepcopy(after.state_dict()))
    assert [g['lr'] for g in again.optimizer.param_groups] == [
        g['lr'] for g in after.optimizer.param_groups
    ]


def test_a_state_of_another_model_is_refused(model):
    state = build(model, single=True).state_dict()
    state['param_groups'].pop()
    with pytest.raises(ValueError, match='different number of parameter groups'):
        build(model).load_state_dict(state)
