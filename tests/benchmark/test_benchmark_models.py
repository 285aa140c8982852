import json

import pytest
import torch
from support import PARAMETERS
from torch.nn.modules.batchnorm import _BatchNorm

from sctnet.benchmark import models
from sctnet.benchmark.measure import count_flops, count_parameters
from sctnet.benchmark.network import build_network
from sctnet.deploy.network import Network
from sctnet.errors import ArgumentError

FAST = ('pidnet-s', 'ddrnet23-slim', 'fast-scnn', 'cgnet')
# Of the metafiles of mmseg 1.2.2: that the right entry is read, and its plain mIoU.
PUBLISHED = {
    'pidnet-s': 78.74,
    'pidnet-m': 80.22,
    'ddrnet23-slim': 77.84,
    'ddrnet23': 79.99,
    'bisenetv1': 75.16,
    'bisenetv2': 75.76,
    'stdc1': 74.94,
    'stdc2': 76.67,
    'segformer-b0': 76.54,
    'fast-scnn': 70.96,
    'cgnet': 68.27,
    'erfnet': 72.5,
    'icnet': 74.43,
    'sctnet-s-ade': 37.91,
    'sctnet-b-ade': 43.04,
    'sctnet-b-coco': 35.91,
    'sctnet-s-seg50': 72.94,
    'sctnet-s-seg75': 76.33,
    'sctnet-b-seg50': 76.46,
    'sctnet-b-seg75': 79.83,
    'sctnet-b-seg100': 80.51,
}
SLOW = sorted(PUBLISHED.keys() - FAST)


def test_every_model_has_its_published_result():
    found = models.entries()
    published = {name: entry.published for name, entry in found.items()}
    assert {name: one.miou for name, one in published.items()} == PUBLISHED
    assert [one.ours for one in published.values()] == [True] * 8 + [False] * 13
    assert all(e.config.stem in e.published.source for e in found.values())
    assert {published[name].size for name in models.PEERS} == {(1024, 2048)}
    assert published['sctnet-s-seg50'].size == (512, 1024)
    assert published['sctnet-b-seg75'].size == (768, 1536)
    assert published['sctnet-b-seg100'].size == (1024, 2048)
    assert published['sctnet-s-ade'].size == (512, 512)
    assert published['sctnet-b-coco'].size == (640, 640)


def test_models_are_found_once_and_a_misspelt_one_is_guessed():
    found = models.find_entries(name for name in ('stdc1', 'pidnet-s', 'stdc1'))
    assert [entry.name for entry in found] == ['stdc1', 'pidnet-s']
    assert [e.name for e in models.find_entries(['peers'])] == list(models.PEERS)
    assert len(models.find_entries(['ours', 'peers', 'stdc1'])) == 21
    with pytest.raises(ArgumentError, match="did you mean 'pidnet-s'"):
        models.find_entries(['pidnets'])
    with pytest.raises(ArgumentError, match=r'choose from sctnet-s-ade, .*icnet'):
        models.find_entries(['xyzzy'])


@pytest.mark.parametrize(
    'name',
    [n if n in FAST else pytest.param(n, marks=pytest.mark.more) for n in PUBLISHED],
)
def test_models_are_built_with_settled_norms(name):
    model = models.build_model(models.entries()[name])
    assert not model.training
    assert not model.with_auxiliary_head
    assert 'SyncBN' not in str(model.cfg.model)
    assert 'Pretrained' not in json.dumps(model.cfg.model.to_dict(), default=str)
    network = Network(model)
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm)]
    called = set()
    for norm in norms:
        norm.register_forward_hook(lambda norm, *_: called.add(norm))
    images = torch.randn(1, 3, 128, 256)
    with torch.no_grad():
        logits = network(images)
    assert type(norms[0]) is torch.nn.BatchNorm2d
    assert called
    assert all((norm.running_mean != 0).all() for norm in called)
    assert all((norm.running_var != 1).all() for norm in called)
    assert logits.shape[1] == model.num_classes
    assert logits.isfinite().all()
    assert 0.01 < logits.std() < 100


def test_building_is_reproducible_and_leaves_the_random_state_alone():
    entry = models.entries()['fast-scnn']
    state = torch.get_rng_state()
    first, second = (models.build_model(entry).state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ('name', 'family', 'gflops'),
    [('sctnet-s-seg50', 'city_s', 16.0), ('sctnet-b-seg50', 'city_b', 59.8)],
)
def test_parameters_and_flops_are_the_published_ones(name, family, gflops):
    network = build_network(name)
    assert count_parameters(network) == PARAMETERS[family]
    flops = count_flops(network, (512, 1024))
    assert flops / 1e9 == pytest.approx(gflops, rel=0.005)
