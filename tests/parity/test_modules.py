"""Every module against the original's, in float64."""

import json

import numpy as np
import pytest
import torch
from support import GOLDEN, assert_close_to_golden, fill

from sctnet.models import DAPPM, CFBlock, ConvAttention, ConvFFN
from sctnet.models.layers import ResidualBlock
from sctnet.weights.key_map import BACKBONE_NAMES, port_name

pytestmark = pytest.mark.parity

BN = {'type': 'BN'}
TIGHT = {'rtol': 1e-9, 'atol': 1e-11}
# name: builder, input (seed, channels, h, w), where it stands in the original
CASES = {
    'attn': (lambda: ConvAttention(64, 8, 64, BN), (101, 64, 9, 13), 'layer4.attn_l.'),
    'mlp': (lambda: ConvFFN(48, BN), (102, 48, 9, 13), 'layer4.mlp_l.'),
    'cfblock': (
        lambda: CFBlock(64, BN, drop_path_rate=0.0),
        (103, 64, 9, 13),
        'layer4.',
    ),
    'dappm': (lambda: DAPPM(64, 32, 48, BN), (104, 64, 11, 17), 'spp.'),
    'block': (
        lambda: ResidualBlock(16, 32, BN, stride=2),
        (106, 16, 11, 17),
        'layer2.0.',
    ),
    'block2': (
        lambda: ResidualBlock(16, 16, BN, end_relu=False),
        (107, 16, 11, 17),
        'layer1.1.',
    ),
}


@pytest.fixture(scope='module')
def golden():
    with np.load(GOLDEN / 'modules.npz') as data:
        return {key: data[key] for key in data.files}


def local_name(name, place):
    """Our name of an original module's parameter, without the module's own."""
    ours = port_name(f'{place}{name}', BACKBONE_NAMES)
    anchor = port_name(f'{place}norm.weight', BACKBONE_NAMES) if 'l.' in place else None
    if anchor:
        return ours.removeprefix(anchor.removesuffix('norm.weight'))
    depth = 1 if place in ('layer4.', 'spp.') else 2
    return '.'.join(ours.split('.')[depth:])


def build(golden, case, variance=1.0):
    """The module with the original's seeded weights, in float64."""
    make, _, place = CASES[case]
    module = make()
    described = json.loads(str(golden['meta_json']))['desc'][case]
    state = {}
    for name, shape in described['state_dict']:
        tensor = torch.from_numpy(np.asarray(fill.fill(f'unit.{case}.{name}', shape)))
        if name.endswith('running_var'):
            tensor = tensor * np.float32(variance)
        state[local_name(name, place)] = tensor
    module.load_state_dict(state, strict=True)
    return module.double()


def make_input(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((2, *shape)))


@pytest.mark.parametrize('case', CASES)
def test_module_equals_the_original_in_eval(golden, case):
    with torch.no_grad():
        y = build(golden, case).eval()(make_input(*CASES[case][1]))
    assert_close_to_golden(y, golden[f'{case}.eval'], **TIGHT)


@pytest.mark.parametrize('case', CASES)
def test_module_equals_the_original_in_training_with_gradients(golden, case):
    module = build(golden, case).train()
    y = module(make_input(*CASES[case][1]))
    assert_close_to_golden(y, golden[f'{case}.train'], **TIGHT)
    (y * y).mean().backward()
    parameters = dict(module.named_parameters())
    compared = 0
    for key in golden:
        if key.startswith(f'{case}.grad.'):
            name = local_name(key.removeprefix(f'{case}.grad.'), CASES[case][2])
            norm = parameters[name].grad.norm()
            expected = torch.from_numpy(golden[key].reshape(()))
            torch.testing.assert_close(norm, expected, rtol=1e-9, atol=1e-14)
            compared += 1
    assert compared == len(parameters)


@pytest.mark.parametrize('case', ['attn', 'mlp'])
def test_norm_eps_equals_the_original_where_it_shows(golden, case):
    module = build(golden, case, variance=1e-5).eval()
    with torch.no_grad():
        y = module(make_input(*CASES[case][1]))
    assert_close_to_golden(y, golden[f'{case}_smallvar.eval'], **TIGHT)


def test_dappm_equals_the_original_on_a_map_smaller_than_its_pools(golden):
    with torch.no_grad():
        y = build(golden, 'dappm').eval()(make_input(105, 64, 2, 3))
    assert_close_to_golden(y, golden['dappm_tiny.eval'], **TIGHT)
