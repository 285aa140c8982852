import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from sctnet.errors import DataError
from sctnet.models.shortcuts import cross_entropy
from sctnet.models.shortcuts.head_losses import can_fuse_losses, head_losses

CLASSES = 6
WEIGHT = [0.5, 1.0, 2.0, 0.1, 1.5, 0.7]
PIXEL = {'type': 'PixelCrossEntropyLoss'}
CE = {'type': 'CrossEntropyLoss'}
LOSSES = {
    'pixel': {**PIXEL, 'loss_weight': 0.4},
    'mmseg': {**CE, 'loss_weight': 3.0},
    'mmseg over counted': {**CE, 'avg_non_ignore': True},
    'sum': {**CE, 'reduction': 'sum'},
    'two of two names': [
        {**PIXEL, 'loss_weight': 0.7, 'loss_name': 'loss_pixel'},
        {**CE, 'avg_non_ignore': True, 'loss_name': 'loss_mean'},
    ],
    'two of one name': [PIXEL, {**CE, 'loss_weight': 0.3}],
}
WEIGHTED = {
    'pixel': {**PIXEL, 'class_weight': WEIGHT},
    'sum': {**CE, 'reduction': 'sum', 'class_weight': WEIGHT},
    'mmseg': {**CE, 'class_weight': WEIGHT},
    'mmseg over counted': {**CE, 'class_weight': WEIGHT, 'avg_non_ignore': True},
    'two': [{**CE, 'class_weight': WEIGHT}, {**PIXEL, 'loss_name': 'loss_pixel'}],
}


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


def draw(ignored=True, label=255):
    features = (None, torch.randn(2, 5, 7, 9, dtype=torch.float64))
    samples = []
    for _ in range(2):
        labels = torch.randint(0, CLASSES, (1, 29, 37))
        if ignored:
            labels[torch.rand(labels.shape) < 0.3] = label
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    return features, samples


def differentiate(compute, head, features):
    """Return losses, and gradients of their sum in features and parameters."""
    x = features[1].clone().requires_grad_()
    losses = compute((features[0], x))
    total = sum(value for name, value in losses.items() if 'loss' in name)
    gradients = torch.autograd.grad(total, (x, *head.parameters()))
    return {name: value.detach() for name, value in losses.items()}, gradients


def assert_same(head, features, samples):
    assert can_fuse_losses(head)
    losses, gradients = differentiate(
        lambda x: head_losses(head, x, samples), head, features
    )
    expected, theirs = differentiate(
        lambda x: head.loss(x, samples, None), head, features
    )
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        ours = losses[name]
        assert ours.shape == value.shape
        rtol = 1e-6 if name == 'acc_seg' else 1e-9  # mmseg's is in float32
        torch.testing.assert_close(ours.double(), value.double(), rtol=rtol, atol=0)
    for ours, gradient in zip(gradients, theirs, strict=True):
        # Biases before a norm have no true gradient.
        atol = 1e-9 * float(gradient.abs().max()) + 1e-12
        torch.testing.assert_close(ours, gradient, rtol=1e-9, atol=atol)


@pytest.fixture(params=[0, 1 << 62], ids=['kernel', 'blocks'], autouse=True)
def kernel_from(request, monkeypatch):
    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', request.param)


@pytest.mark.parametrize('kind', ['SCTHead', 'FCNHead'])
@pytest.mark.parametrize('loss', LOSSES)
def test_losses_accuracy_and_gradients_are_the_heads_own(kind, loss):
    assert_same(build_head(kind, loss_decode=LOSSES[loss]), *draw())


# mmseg cannot weigh classes where labels are ignored, unless it averages otherwise.
@pytest.mark.parametrize('kind', ['SCTHead', 'FCNHead'])
@pytest.mark.parametrize('loss', WEIGHTED)
def test_classes_are_weighed_as_the_head_does(kind, loss):
    head = build_head(kind, loss_decode=WEIGHTED[loss])
    assert_same(head, *draw(ignored=loss in ('pixel', 'sum')))


def test_ignored_pixels_do_not_weigh_in_where_mmseg_fails():
    loss = {**CE, 'class_weight': WEIGHT, 'avg_non_ignore': True}
    head = build_head(loss_decode=loss)
    features, samples = draw()
    logits = torch.nn.functional.interpolate(head(features), (29, 37), mode='bilinear')
    expected = torch.nn.functional.cross_entropy(
        logits,
        torch.cat([sample.gt_sem_seg.data for sample in samples]),
        torch.tensor(WEIGHT).double(),
        ignore_index=255,
    )
    ours = head_losses(head, features, samples)['loss_ce']
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize('loss', LOSSES)
def test_a_class_may_be_the_one_to_ignore(loss):
    head = build_head(loss_decode=LOSSES[loss], ignore_index=2)
    assert_same(head, *draw(label=2))


@pytest.mark.parametrize('average', [False, True])
def test_a_class_may_be_the_one_to_ignore_and_have_a_weight(average):
    loss = {**CE, 'class_weight': WEIGHT, 'avg_non_ignore': average}
    assert_same(build_head(loss_decode=loss, ignore_index=2), *draw(label=2))


@pytest.mark.parametrize('loss', ['pixel', 'mmseg', 'mmseg over counted', 'sum'])
def test_nothing_but_ignored_pixels_gives_zero(loss):
    head = build_head(loss_decode=LOSSES[loss])
    features, samples = draw()
    for sample in samples:
        sample.gt_sem_seg.data.fill_(255)
    losses = head_losses(head, features, samples)
    assert losses['loss_ce'] == 0
    assert losses['acc_seg'].isfinite().all()
    losses['loss_ce'].backward()
    assert (head.conv_seg.weight.grad == 0).all()
    theirs = head.loss(features, samples, None)
    torch.testing.assert_close(losses['acc_seg'], theirs['acc_seg'])


def test_float32_is_near_what_the_head_computes():
    head = build_head(loss_decode=LOSSES['two of one name']).float()
    features, samples = draw()
    features = (None, features[1].float())
    ours, theirs = (
        head_losses(head, features, samples),
        head.loss(features, samples, None),
    )
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype == torch.float32
        torch.testing.assert_close(ours[name], value, rtol=1e-5, atol=0)


def test_a_label_outside_the_classes_is_an_error():
    features, samples = draw(label=77)
    with pytest.raises(DataError, match=r'\[77\] outside the 6 classes'):
        head_losses(build_head(), features, samples)


def test_class_weights_may_lie_in_a_file_and_stay_exact_under_autocast(tmp_path):
    weight = torch.tensor(WEIGHT, dtype=torch.float64) / 3
    np.save(tmp_path / 'weights.npy', weight.numpy())
    loss = {**CE, 'class_weight': str(tmp_path / 'weights.npy')}
    head = build_head(loss_decode=loss)
    assert_same(head, *draw(ignored=False))
    features, samples = draw(ignored=False)
    with torch.autocast('cpu', torch.bfloat16):
        logits = head.float()((None, features[1].float()))
        ours = head_losses(head, (None, features[1].float()), samples)['loss_ce']
    upsampled = torch.nn.functional.interpolate(
        logits.float(), (29, 37), mode='bilinear'
    )
    expected = torch.nn.functional.cross_entropy(
        upsampled, torch.cat([s.gt_sem_seg.data for s in samples]), weight.float()
    )
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=0)
