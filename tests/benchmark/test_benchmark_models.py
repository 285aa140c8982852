import json

import pytest
import torch
import yaml
from support import PARAMETERS
from torch.nn.modules.batchnorm import _BatchNorm

from sctnet.benchmark import models
from sctnet.benchmark.measure import count_flops, count_parameters
from sctnet.benchmark.network import build_network
from sctnet.catalog import load_config
from sctnet.deploy.network import Network
from sctnet.errors import ArgumentError

FAST = ('pidnet-s', 'ddrnet23-slim', 'fast-scnn', 'cgnet')
OURS = {
    'sctnet-s-ade': (37.91, (512, 512)),
    'sctnet-b-ade': (43.04, (512, 512)),
    'sctnet-b-coco': (35.91, (640, 640)),
    'sctnet-s-seg50': (72.94, (512, 1024)),
    'sctnet-s-seg75': (76.33, (768, 1536)),
    'sctnet-b-seg50': (76.46, (512, 1024)),
    'sctnet-b-seg75': (79.83, (768, 1536)),
    'sctnet-b-seg100': (80.51, (1024, 2048)),
}
NAMES = [*OURS, *models.PEERS]


def test_every_model_has_its_published_result():
    found = {name: entry.published for name, entry in models.entries().items()}
    assert {k: (v.miou, v.size) for k, v in found.items() if v.ours} == OURS
    for name in models.PEERS:
        config = models.entries()[name].config
        metafile = yaml.safe_load((config.parent / 'metafile.yaml').read_text())
        (model,) = (m for m in metafile['Models'] if m['Name'] == config.stem)
        assert model['Results']['Metrics']['mIoU'] == found[name].miou
        assert model['Results']['Dataset'] == found[name].dataset == 'Cityscapes'
        scales = [s.get('scale') for s in load_config(config).test_pipeline]
        assert found[name].size[::-1] in scales


def test_models_are_found_once_and_what_there_is_is_listed():
    found = models.find_entries(name for name in ('stdc1', 'pidnet-s', 'stdc1'))
    assert [entry.name for entry in found] == ['stdc1', 'pidnet-s']
    assert [e.name for e in models.find_entries(['peers'])] == list(models.PEERS)
    assert len(models.find_entries(['ours', 'peers', 'stdc1'])) == 21
    with pytest.raises(ArgumentError, match=r"'pidnets' .* ours, .*pidnet-s, .*icnet"):
        models.find_entries(['pidnets'])


@pytest.mark.parametrize(
    'name',
    [n if n in FAST else pytest.param(n, marks=pytest.mark.more) for n in NAMES],
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
