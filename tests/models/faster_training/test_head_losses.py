"""Losses from small logits, and those that are left to the head itself."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.models.losses import CrossEntropyLoss
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from sctnet.models.faster_training import head_losses as module
from sctnet.models.faster_training.head_losses import head_losses, supports_losses

CLASSES = 6
WEIGHT = [0.5, 1.0, 2.0, 0.1, 1.5, 0.7]
PIXEL = {'type': 'PixelCrossEntropyLoss'}
CE = {'type': 'CrossEntropyLoss'}
LOSSES = {
    'pixel': {**PIXEL, 'loss_weight': 0.4, 'loss_name': 'loss_pixel'},
    'pixel, weighted': {**PIXEL, 'class_weight': WEIGHT},
    'mmseg': {**CE, 'loss_weight': 3.0},
    'mmseg over counted': {**CE, 'avg_non_ignore': True},
}


class OwnLoss(FCNHead):
    def loss_by_feat(self, seg_logits, batch_data_samples):
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        return {**losses, 'loss_own': seg_logits.square().mean()}


class Whole(FCNHead):
    def loss(self, inputs, batch_data_samples, train_cfg):
        return {'loss_zero': self(inputs).sum() * 0}


class Other(CrossEntropyLoss):
    def forward(self, *args, **kwargs):
        return 2 * super().forward(*args, **kwargs)


OTHERS = {
    'OHEM': {'sampler': {'type': 'OHEMPixelSampler', 'thresh': 0.7, 'min_kept': 50}},
    'corners': {'align_corners': True},
    'sigmoid': {'loss_decode': {**CE, 'use_sigmoid': True}},
    'pixel, sigmoid': {'loss_decode': {**PIXEL, 'use_sigmoid': True}},
    'per pixel': {'loss_decode': {**CE, 'reduction': 'none'}},
    'sum': {'loss_decode': {**CE, 'reduction': 'sum'}},
    'mmseg, weighted': {'loss_decode': {**CE, 'class_weight': WEIGHT}},
    'Dice': {'loss_decode': {'type': 'DiceLoss'}},
    'two': {'loss_decode': [PIXEL, {'type': 'DiceLoss', 'loss_name': 'loss_dice'}]},
    'binary': {
        'num_classes': 2, 'out_channels': 1, 'threshold': 0.3,
        'loss_decode': {**CE, 'use_sigmoid': True},
    },
    'a derived loss': {'loss_decode': {'type': Other}},
    'a loss beside': {'kind': OwnLoss},
    'a loss of its own': {'kind': Whole},
}  # fmt: skip


def build_head(kind='SCTHead', **options):
    head = MODELS.build(
        {
            'type': kind, 'in_channels': 5, 'in_index': 1, 'channels': 8,
            'num_classes': CLASSES, 'norm_cfg': {'type': 'BN'}, 'dropout_ratio': 0,
            'align_corners': False, **options,
        }
    )  # fmt: skip
    torch.nn.init.normal_(head.conv_seg.weight)
    return head.double().train()


def draw_samples(height=29, width=37, label=255):
    samples = []
    for _ in range(2):
        labels = torch.randint(0, CLASSES, (1, height, width))
        labels[torch.rand(labels.shape) < 0.3] = label
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return samples


def differentiate(compute, head, x):
    """Return losses, and gradients of their sum in features and parameters."""
    x = x.clone().requires_grad_()
    losses = compute((None, x))
    total = sum(value for name, value in losses.items() if 'loss' in name)
    gradients = torch.autograd.grad(total, (x, *head.parameters()))
    return {name: value.detach() for name, value in losses.items()}, gradients


@pytest.mark.parametrize('kind', ['SCTHead', 'FCNHead'])
@pytest.mark.parametrize('loss', LOSSES)
@pytest.mark.parametrize('ignored', [255, 2])
def test_losses_accuracy_and_gradients_are_the_heads_own(kind, loss, ignored):
    head = build_head(kind, loss_decode=LOSSES[loss], ignore_index=ignored)
    samples = draw_samples(label=ignored)
    assert supports_losses(head)
    x = torch.randn(2, 5, 7, 9, dtype=torch.float64)
    ours = differentiate(lambda maps: head_losses(head, maps, samples), head, x)
    theirs = differentiate(lambda maps: head.loss(maps, samples, None), head, x)
    assert ours[0].keys() == theirs[0].keys()
    for name, value in theirs[0].items():
        assert ours[0][name].shape == value.shape
        rtol = 1e-6 if name == 'acc_seg' else 1e-9  # mmseg's is in float32
        found, expected = ours[0][name].double(), value.double()
        torch.testing.assert_close(found, expected, rtol=rtol, atol=0)
    for found, gradient in zip(ours[1], theirs[1], strict=True):
        # Biases before a norm have no true gradient.
        atol = 1e-9 * float(gradient.abs().max()) + 1e-12
        torch.testing.assert_close(found, gradient, rtol=1e-9, atol=atol)


@pytest.mark.parametrize('loss', LOSSES)
def test_nothing_but_ignored_pixels_gives_zero(loss):
    head = build_head(loss_decode=LOSSES[loss])
    features, samples = (None, torch.randn(2, 5, 7, 9).double()), draw_samples()
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    losses = head_losses(head, features, samples)
    (name,) = losses.keys() - {'acc_seg'}
    assert losses[name] == 0
    losses[name].backward()
    assert (head.conv_seg.weight.grad == 0).all()
    theirs = head.loss(features, samples, None)
    torch.testing.assert_close(losses['acc_seg'], theirs['acc_seg'])


def test_class_weights_stay_exact_under_autocast():
    weight = [w / 3 for w in WEIGHT]
    head = build_head(loss_decode={**PIXEL, 'class_weight': weight}).float()
    features, samples = (None, torch.randn(2, 5, 7, 9)), draw_samples()
    with torch.autocast('cpu', torch.bfloat16):
        logits = head(features)
        ours = head_losses(head, features, samples)['loss_ce']
    upsampled = torch.nn.functional.interpolate(
        logits.float(), (29, 37), mode='bilinear'
    )
    labels = torch.cat([s.gt_sem_seg.data for s in samples])
    expected = torch.nn.functional.cross_entropy(
        upsampled, labels, torch.tensor(weight), ignore_index=255, reduction='sum'
    )
    torch.testing.assert_close(ours, expected / labels.numel(), rtol=1e-5, atol=0)


@pytest.mark.parametrize('other', OTHERS)
def test_other_losses_are_left_to_the_head(tiny_model, monkeypatch, other):
    segmentor = tiny_model(num_classes=CLASSES, auxiliary=False).train()
    options = {**OTHERS[other], 'in_channels': 32, 'in_index': 3}
    head = build_head(**{'kind': 'SCTHead', **options}).float()
    assert not supports_losses(head)
    segmentor.decode_head = head
    monkeypatch.setattr(module, 'upsampled_cross_entropy', None)
    samples = draw_samples(64, 64)
    if other in ('binary', 'mmseg, weighted', 'sigmoid', 'pixel, sigmoid'):
        for sample in samples:  # mmseg cannot weigh ignored pixels
            sample.gt_sem_seg.data.clamp_(max=head.num_classes - 1)
    features = segmentor.extract_feat(torch.randn(2, 3, 64, 64))
    losses = segmentor._head_losses(features, samples)
    expected = head.loss(features, samples, None)
    assert {f'decode.{name}' for name in expected} == losses.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[f'decode.{name}'], value)
