import pytest
import torch
from support import original_state, released_checkpoint

from sctnet.errors import CheckpointError
from sctnet.models import SCTNet, SCTNetFeatures


def test_features_have_the_documented_shapes():
    features = SCTNet(8, 8)(torch.zeros(2, 3, 64, 96))
    assert isinstance(features, SCTNetFeatures)
    assert features.detail.shape == (2, 16, 8, 12)
    assert features.stage3.shape == (2, 32, 4, 6)
    assert features.stage4.shape == (2, 64, 2, 3)
    assert features.fused.shape == (2, 32, 8, 12)
    assert features[0] is features.detail
    assert features[3] is features.fused


@pytest.mark.parametrize(('height', 'width'), [(64, 64), (65, 97), (127, 203)])
def test_any_size_from_64_rounds_up_at_each_stride(height, width):
    def ceil(size, stride):
        return -(-size // stride)

    features = SCTNet(8, 8).eval()(torch.zeros(1, 3, height, width))
    for feature, stride in zip(features, (8, 16, 32, 8), strict=True):
        assert feature.shape[-2:] == (ceil(height, stride), ceil(width, stride))


def test_smaller_inputs_are_refused_with_their_size():
    with pytest.raises(ValueError, match=r'at least 64x64 pixels but got 100x63'):
        SCTNet(8, 8)(torch.zeros(1, 3, 63, 100))


@pytest.mark.parametrize('norm', ['BN', 'SyncBN', 'GN'])
def test_norm_cfg_reaches_every_norm(norm):
    norm_cfg = {'type': norm, **({'num_groups': 4} if norm == 'GN' else {})}
    model = SCTNet(8, 8, norm_cfg=norm_cfg)
    kinds = {'BN': torch.nn.BatchNorm2d, 'SyncBN': torch.nn.SyncBatchNorm}
    kind = kinds.get(norm, torch.nn.GroupNorm)
    norms = [m for n, m in model.named_modules() if 'norm' in n.rpartition('.')[2]]
    assert norms
    assert all(isinstance(m, kind) for m in norms)
    model.eval()(torch.zeros(1, 3, 64, 64))


BLOCKS = ('cfblock3', 'cfblock4_1', 'cfblock4_2')


@pytest.mark.parametrize('block', BLOCKS)
@pytest.mark.parametrize('branch', ['vertical', 'horizontal'])
def test_keys_of_the_attention_start_apart_and_stay_apart(block, branch):
    model = SCTNet(8, 8, drop_path_rate=0.0)
    kernels = getattr(getattr(model, block).attention, branch)
    assert kernels.std().item() == pytest.approx(1e-3, rel=0.05)
    before = kernels.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.randn(2, 3, 64, 64)).fused.square().mean().backward()
    optimizer.step()
    rows = kernels.detach().flatten(1)
    assert not torch.equal(rows, before.flatten(1))
    assert torch.cdist(rows, rows).fill_diagonal_(1).min() > 1e-6


def test_convolutions_keep_pytorchs_default_initialisation():
    torch.manual_seed(3)
    ours = SCTNet(8, 8)
    torch.manual_seed(3)
    plain = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
    assert torch.equal(ours.stem[0].weight, plain.weight)
    ours.init_weights()
    assert torch.equal(ours.stem[0].weight, plain.weight)


def pretrained(path):
    model = SCTNet(32, 64, init_cfg={'type': 'Pretrained', 'checkpoint': str(path)})
    model.init_weights()
    return model.state_dict()


def test_pretrained_backbone_file_loads_through_init_cfg(tmp_path):
    state = original_state('ade_s', 'backbone.')
    state = {k.removeprefix('backbone.'): v for k, v in state.items()}
    torch.save(state, tmp_path / 'SCT-S_Pretrain.pth')
    loaded = pretrained(tmp_path / 'SCT-S_Pretrain.pth')
    assert torch.equal(loaded['stem.0.weight'], state['conv1.0.weight'])
    assert torch.equal(
        loaded['cfblock4_2.attention.horizontal'], state['layer5.attn_l.kv3']
    )


def test_whole_checkpoint_serves_as_pretrained_backbone(tmp_path, released_ade_s):
    loaded = pretrained(released_ade_s)
    expected = original_state('ade_s', 'backbone.spp.')
    assert torch.equal(
        loaded['dappm.scales.4.conv.bias'], expected['backbone.spp.scale4.3.bias']
    )


def test_wrong_pretrained_file_is_an_error_not_a_warning(tmp_path):
    released_checkpoint('city_b_seg50', tmp_path / 'b.pth', with_training=False)
    with pytest.raises(CheckpointError, match=r'SCTNet-B .* SCTNet-S'):
        pretrained(tmp_path / 'b.pth')
    torch.save({'fc.weight': torch.zeros(2, 2)}, tmp_path / 'other.pth')
    with pytest.raises(CheckpointError, match='none of its 1 weights'):
        pretrained(tmp_path / 'other.pth')


def test_constructor_loads_nothing():
    SCTNet(8, 8, init_cfg={'type': 'Pretrained', 'checkpoint': 'nowhere.pth'})
