"""Losses that are left to the head itself, alone and in a segmentor."""

import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from sctnet.models.shortcuts import head_losses as module
from sctnet.models.shortcuts.head_losses import can_fuse_losses

CLASSES = 6
PIXEL = {'type': 'PixelCrossEntropyLoss'}
CE = {'type': 'CrossEntropyLoss'}


def build_head(kind='SCTHead', **options):
    return MODELS.build(
        {
            'type': kind, 'in_channels': 5, 'in_index': 1, 'channels': 8,
            'num_classes': CLASSES, 'norm_cfg': {'type': 'BN'}, 'dropout_ratio': 0,
            'align_corners': False, **options,
        }
    ).double()  # fmt: skip


class OwnLoss(FCNHead):
    def loss_by_feat(self, seg_logits, batch_data_samples):
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        return {**losses, 'loss_own': seg_logits.square().mean()}


OTHERS = {
    'OHEM': {'sampler': {'type': 'OHEMPixelSampler', 'thresh': 0.7, 'min_kept': 50}},
    'corners': {'align_corners': True},
    'sigmoid': {'loss_decode': {**CE, 'use_sigmoid': True}},
    'per pixel': {'loss_decode': {**CE, 'reduction': 'none'}},
    'Dice': {'loss_decode': {'type': 'DiceLoss'}},
    'focal': {'loss_decode': {'type': 'FocalLoss'}},
    'one of two': {
        'loss_decode': [PIXEL, {'type': 'DiceLoss', 'loss_name': 'loss_dice'}]
    },
    'binary': {
        'num_classes': 2, 'out_channels': 1, 'threshold': 0.3,
        'loss_decode': {**CE, 'use_sigmoid': True},
    },
    'own': {'kind': OwnLoss},
}  # fmt: skip


@pytest.mark.parametrize('kind', ['SCTHead', 'FCNHead'])
@pytest.mark.parametrize('other', OTHERS)
def test_other_losses_are_left_to_the_head(kind, other):
    assert not can_fuse_losses(build_head(**{'kind': kind, **OTHERS[other]}))


def test_mask_losses_and_subclasses_are_left_to_the_head():
    from mmseg.models.losses import CrossEntropyLoss

    class Other(CrossEntropyLoss):
        def forward(self, *args, **kwargs):
            return 2 * super().forward(*args, **kwargs)

    head = build_head(loss_decode=CE)
    assert can_fuse_losses(head)
    head.loss_decode.use_mask = True
    assert not can_fuse_losses(head)
    head.loss_decode = Other()
    assert not can_fuse_losses(head)


def test_a_head_with_a_loss_of_its_own_is_left_alone():
    class Whole(FCNHead):
        def loss(self, inputs, batch_data_samples, train_cfg):
            return {'loss_zero': self(inputs).sum() * 0}

    assert can_fuse_losses(build_head('FCNHead'))
    assert not can_fuse_losses(build_head(Whole))


def refuse(*_):
    raise AssertionError('the short cut was taken')


@pytest.mark.parametrize('other', ['OHEM', 'corners', 'sigmoid', 'Dice', 'own'])
def test_a_segmentor_trains_with_losses_of_other_kinds(tiny_model, monkeypatch, other):
    segmentor = tiny_model(num_classes=CLASSES, auxiliary=False).train()
    head = {**OTHERS[other], 'in_channels': 32, 'in_index': 3}
    segmentor.decode_head = build_head(**{'kind': 'SCTHead', **head}).float()
    monkeypatch.setattr(module, 'upsampled_cross_entropy', refuse)
    losses = segmentor.loss(torch.randn(2, 3, 64, 64), draw_samples(64, 64))
    assert ('decode.loss_own' in losses) == (other == 'own')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert any(p.grad is not None for p in segmentor.backbone.parameters())
    assert segmentor.decode_head.conv_seg.weight.grad.abs().max() > 0


def test_each_of_a_segmentors_heads_goes_its_own_way(tiny_model):
    segmentor = tiny_model(num_classes=CLASSES).train().double()
    dice = {'loss_decode': {'type': 'DiceLoss', 'loss_name': 'loss_dice'}}
    heads = [segmentor.auxiliary_head, build_head(**dice, in_channels=16, in_index=0)]
    segmentor.auxiliary_head = torch.nn.ModuleList(heads)
    image, samples = torch.randn(2, 3, 65, 70).double(), draw_samples(65, 70)
    losses = []
    for train_cfg in (None, {'fused': False}):
        segmentor.train_cfg = train_cfg
        torch.manual_seed(0)  # of drop path
        losses.append(copy.deepcopy(segmentor).loss(image, samples))
    ours, theirs = losses
    assert list(ours) == list(theirs)
    assert {'decode.loss_ce', 'aux_0.loss_ce', 'aux_1.loss_dice'} <= set(ours)
    for name, value in theirs.items():
        rtol = 1e-6 if 'acc' in name else 1e-9
        torch.testing.assert_close(
            ours[name].double(), value.double(), rtol=rtol, atol=0
        )


def draw_samples(height, width):
    return [
        SegDataSample(
            gt_sem_seg=PixelData(data=torch.randint(0, CLASSES, (1, height, width)))
        )
        for _ in range(2)
    ]
