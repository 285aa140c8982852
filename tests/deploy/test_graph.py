import copy

import pytest
import torch
from torch import nn

from sctnet.deploy import Network, deploy_graph
from sctnet.errors import ArgumentError


def randomise(model):
    """Running statistics and affine parameters that folding must get right."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return model


@pytest.fixture
def model(tiny_model):
    return randomise(tiny_model())


def logits(model, images):
    with torch.no_grad():
        return Network(model)(images)


def norms(model):
    return {name for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)}


def test_a_training_checkpoints_network_becomes_the_deploy_graph(model):
    images = torch.randn(2, 3, 97, 130)
    deployed = deploy_graph(model)
    expected = logits(model.eval(), images)
    torch.testing.assert_close(
        logits(deployed, images), expected, rtol=0, atol=1e-4 * expected.std().item()
    )
    assert not deployed.with_auxiliary_head
    assert not deployed.training
    assert not any(p.requires_grad for p in deployed.parameters())


def test_only_norms_before_convolutions_stay(model):
    kept = norms(deploy_graph(model))
    assert kept == {
        *(f'backbone.{b}.{p}.norm' for b in BLOCKS for p in ('attention', 'ffn')),
        *(f'backbone.dappm.scales.{i}.norm' for i in range(5)),
        *(f'backbone.dappm.processes.{i}.norm' for i in range(4)),
        *('backbone.dappm.compression.norm', 'backbone.dappm.shortcut.norm'),
        'decode_head.norm1',
    }


BLOCKS = ('cfblock3', 'cfblock4_1', 'cfblock4_2')


def test_the_model_itself_is_left_as_it_was(model):
    model.train()
    before = copy.deepcopy(model.state_dict())
    names = norms(model)
    deploy_graph(model)
    assert model.training
    assert all(m.training for m in model.modules())
    assert model.with_auxiliary_head
    assert norms(model) == names
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.requires_grad for p in model.parameters())


def test_norms_are_kept_if_asked(model):
    assert norms(deploy_graph(model, fold=False)) == {
        name for name in norms(model) if not name.startswith('auxiliary')
    }


def test_a_convolution_that_feeds_more_than_its_norm_is_refused(model):
    class Both(nn.Module):
        def __init__(self, stage):
            super().__init__()
            self.stage = stage

        def forward(self, x):
            y = self.stage[0](x)
            return self.stage[2](self.stage[1](y)) + y

    model.backbone.downsample4 = Both(model.backbone.downsample4)
    with pytest.raises(ArgumentError, match='fold=False'):
        deploy_graph(model)


def test_in_place_relu_between_convolution_and_norm_is_noticed(model):
    conv, norm, relu = model.backbone.downsample4
    model.backbone.downsample4 = nn.Sequential(conv, relu, norm)
    assert 'backbone.downsample4.2' in norms(deploy_graph(model))


def test_modes_of_the_parts_are_their_own(model):
    model.train()
    model.backbone.stem.eval()
    Network(model)
    assert not model.backbone.stem[1].training
    assert model.backbone.stage1.training


def test_norms_without_running_statistics_stay(model):
    norm = nn.BatchNorm2d(64, track_running_stats=False)
    model.backbone.downsample4[1] = norm
    assert 'backbone.downsample4.1' in norms(deploy_graph(model))


def test_a_module_that_runs_twice_keeps_its_norm(model):
    class Twice(nn.Module):
        def __init__(self, stage):
            super().__init__()
            self.stage = stage

        def forward(self, x):
            return self.stage(x) + self.stage(-x)

    model.backbone.downsample4 = Twice(model.backbone.downsample4)
    assert 'backbone.downsample4.stage.1' in norms(deploy_graph(model))


@pytest.mark.parametrize('wrong', [None, 'sctnet-s-seg50', nn.Conv2d(3, 3, 1)])
def test_what_is_no_segmentor_is_refused(wrong):
    with pytest.raises(ArgumentError, match='there is no deploy graph of'):
        deploy_graph(wrong)
