"""A first convolution for images of another number of bands."""

import pytest
import torch
from mmseg.models.backbones import MixVisionTransformer

from sctnet.models import SCTNet
from sctnet.weights.bands import adapt_bands, explain_bands, first_bands

MIT = {'embed_dims': 8, 'num_layers': [1] * 4, 'num_heads': [1, 2, 5, 8]}
NETWORKS = {
    'SCTNet': (lambda bands: SCTNet(8, 8, in_channels=bands), 'stem.0.weight'),
    'MiT': (
        lambda bands: MixVisionTransformer(in_channels=bands, **MIT),
        'layers.0.0.projection.weight',
    ),
}


@pytest.mark.parametrize('network', NETWORKS)
@pytest.mark.parametrize('bands', [1, 2, 3, 4, 6])
def test_weights_of_three_bands_serve_for_others(network, bands):
    build, name = NETWORKS[network]
    old, new = build(3).eval(), build(bands).eval()
    assert first_bands(new) == bands
    state = old.state_dict()
    adapted = adapt_bands(new.state_dict(), state)
    new.load_state_dict(adapted)
    for key, value in state.items():
        assert key == name or adapted[key] is value
    weight = adapted[name]
    if bands >= 3:
        assert torch.equal(weight[:, :3], state[name])
        mean = state[name].mean(1)
        assert all(torch.equal(weight[:, band], mean) for band in range(3, bands))
    else:  # an image that is equal in all bands gives what it gave
        grey = torch.randn(1, 1, 64, 64)
        for ours, theirs in zip(
            new(grey.repeat(1, bands, 1, 1)), old(grey.repeat(1, 3, 1, 1)), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    said = explain_bands(new.state_dict(), state)
    part = name.removesuffix('.weight')
    assert said.startswith(f'{part} has {bands} bands: ' if bands != 3 else '')
    assert bool(said) is (bands != 3)
    assert ('mean' in said, 'sum' in said) == (bands > 3, bands < 3)


def test_other_misfits_are_left_to_the_comparison():
    own, wider = (SCTNet(c, 8, in_channels=4).state_dict() for c in (8, 16))
    for weights in (wider, {'fc.weight': torch.zeros(2, 2)}, {}):
        assert adapt_bands(own, weights) == weights
        assert explain_bands(own, weights) == ''
    features = {'conv.weight': torch.zeros(4, 64, 3, 3)}
    fewer = {'conv.weight': torch.zeros(4, 32, 3, 3)}
    assert adapt_bands(fewer, features)['conv.weight'] is features['conv.weight']
