import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from sctnet.errors import DataError
from sctnet.fused import cross_entropy
from sctnet.models import head_losses as module
from sctnet.models.head_losses import can_fuse_losses, head_losses

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
    with pytest.raises(DataError, match=r'\[77\], outside the 6 classes'):
        head_losses(build_head(), features, samples)


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
