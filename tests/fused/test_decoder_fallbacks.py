"""Teachers whose decoder the short cut does not know."""

import copy

import pytest
import torch
from mmseg.models.decode_heads import SegformerHead
from mmseg.registry import MODELS
from torch import nn

from sctnet.catalog import load_config
from sctnet.models import Teacher
from sctnet.models.shortcuts.shared_decoder import can_fuse_decoder

HEAD = {
    'in_channels': (4, 6, 10, 16), 'in_index': [0, 1, 2, 3], 'channels': 12,
    'num_classes': 7, 'norm_cfg': {'type': 'BN'}, 'align_corners': False,
}  # fmt: skip


def test_decoders_that_cannot_be_cut_are_left_alone():
    class Other(SegformerHead):
        def forward(self, inputs):
            return super().forward(inputs) * 2

    assert can_fuse_decoder(SegformerHead(**HEAD))
    assert can_fuse_decoder(SegformerHead(**{**HEAD, 'norm_cfg': {'type': 'SyncBN'}}))
    assert not can_fuse_decoder(Other(**HEAD))
    assert not can_fuse_decoder(nn.Conv2d(1, 1, 1))
    cases = [
        {'align_corners': True},
        {'interpolate_mode': 'nearest'},
        {'norm_cfg': {'type': 'GN', 'num_groups': 2}},
        {'norm_cfg': {'type': 'IN'}},
        {'norm_cfg': None},
        {'norm_cfg': {'type': 'BN', 'track_running_stats': False}},
        {'norm_cfg': {'type': 'BN', 'affine': False}},
        {'act_cfg': {'type': 'LeakyReLU'}},
        {'act_cfg': None},
    ]
    for options in cases:
        head = SegformerHead(**{**HEAD, **options}).eval()
        assert not can_fuse_decoder(head), options


@pytest.mark.parametrize(
    'options',
    [
        {'align_corners': True},
        {'norm_cfg': {'type': 'GN', 'num_groups': 4}},
        {'act_cfg': {'type': 'LeakyReLU'}},
    ],
    ids=lambda options: '-'.join(options),
)
def test_a_teacher_whose_decoder_cannot_be_cut_merges_its_features(options):
    cfg = copy.deepcopy(load_config('segformer-t-streets').model)
    cfg.decode_head.update(options)
    teacher = Teacher(MODELS.build(cfg)).double()
    image = torch.randn(1, 3, 61, 64, dtype=torch.float64)
    features = teacher(image)
    assert isinstance(features.merged, torch.Tensor)
    expected = teacher(image, fused=False)
    tight = {'rtol': 1e-9, 'atol': 1e-11}
    torch.testing.assert_close(features.merged, expected.merged, **tight)
    torch.testing.assert_close(features.decoded, expected.decoded, **tight)
