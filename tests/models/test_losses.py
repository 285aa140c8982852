"""What mmseg takes as losses trains an SCTNet, with mmseg's own numbers."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.models.losses import CrossEntropyLoss, FocalLoss
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch.nn import functional as F

from sctnet.engine.check_losses import check_losses
from sctnet.prediction.predict import small_logits_suffice

CE = {'type': 'CrossEntropyLoss'}
PIXEL = {'type': 'PixelCrossEntropyLoss'}
OHEM = {'type': 'OHEMPixelSampler', 'thresh': 0.7, 'min_kept': 50}
LOVASZ = {'type': 'LovaszLoss', 'reduction': 'none', 'loss_weight': 0.5}
WEIGHT = [0.5, 1.0, 2.0, 0.1]
SIGMOID = {'num_classes': 1, 'out_channels': 1, 'threshold': 0.4}
KINDS = {
    'weights': {'loss_decode': {**PIXEL, 'class_weight': WEIGHT}},
    "mmseg's, with weights": {'loss_decode': {**CE, 'class_weight': WEIGHT}},
    'OHEM': {'sampler': OHEM, 'loss_decode': PIXEL},
    'OHEM, the hardest': {'sampler': {**OHEM, 'thresh': None}, 'loss_decode': PIXEL},
    'OHEM, weights': {'sampler': OHEM, 'loss_decode': {**CE, 'class_weight': WEIGHT}},
    'Dice': {'loss_decode': [PIXEL, {'type': 'DiceLoss', 'use_sigmoid': False}]},
    'Lovasz': {'loss_decode': [PIXEL, LOVASZ]},
    'Lovasz an image': {'loss_decode': {'type': 'LovaszLoss', 'per_image': True}},
    'focal': {'loss_decode': {'type': 'FocalLoss', 'class_weight': WEIGHT}},
    'focal, OHEM': {'loss_decode': {'type': 'FocalLoss'}, 'sampler': OHEM},
    'Tversky': {'loss_decode': {'type': 'TverskyLoss', 'class_weight': WEIGHT}},
    'Hausdorff': {'loss_decode': [PIXEL, {'type': 'HuasdorffDisstanceLoss'}]},
    'sigmoid': {'loss_decode': {**CE, 'use_sigmoid': True}},
    'one class': {'loss_decode': {**CE, 'use_sigmoid': True}, **SIGMOID},
    'one channel for two': {
        'loss_decode': {**PIXEL, 'use_sigmoid': True, 'class_weight': [3.0]},
        **SIGMOID,
        'num_classes': 2,
    },
    'one class, Lovasz': {'loss_decode': {**LOVASZ, 'loss_type': 'binary'}, **SIGMOID},
    'one class, focal': {'loss_decode': {'type': 'FocalLoss'}, **SIGMOID},
}


@pytest.fixture
def segmentor(tiny_model):
    def build(options):
        from mmseg.registry import MODELS

        torch.manual_seed(0)
        model = tiny_model(num_classes=4, auxiliary=False, drop_path_rate=0.0)
        head = {
            'type': 'SCTHead', 'in_channels': 32, 'channels': 32, 'in_index': 3,
            'num_classes': 4, 'norm_cfg': {'type': 'BN'}, **options,
        }  # fmt: skip
        model.decode_head = MODELS.build(head)
        model.num_classes = model.decode_head.num_classes
        model.out_channels = model.decode_head.out_channels
        model.test_cfg = ConfigDict(mode='whole')
        return model.train()

    return build


def draw_batch(labels):
    samples = []
    for _ in range(2):
        blocks = torch.randint(0, labels, (1, 1, 8, 8)).float()
        label_map = F.interpolate(blocks, (64, 64))[0].long()
        label_map[:, :6] = 255
        meta = {'img_shape': (64, 64), 'ori_shape': (64, 64)}
        data = PixelData(data=label_map)
        samples.append(SegDataSample(metainfo=meta, gt_sem_seg=data))
    images = torch.randn(2, 3, 64, 64)
    for image, sample in zip(images, samples, strict=True):  # something to learn
        image += sample.gt_sem_seg.data % 7
    return images, samples


@pytest.mark.parametrize('kind', KINDS)
def test_it_trains_with_the_losses_of_mmsegs_encoder_decoder(segmentor, kind):
    model = segmentor(KINDS[kind])
    check_losses(model)
    images, samples = draw_batch(2 if model.out_channels == 1 else 4)
    # The focal loss has no gradient in float64's place, so float32 for all.
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    totals = []
    for _ in range(6):
        losses = model.loss(images, samples)
        with torch.no_grad():
            expected = EncoderDecoder.loss(model, images, samples)
        assert losses.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(losses[name], value, rtol=1e-4, atol=1e-6)
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert all(torch.tensor(totals).isfinite())
    # The Hausdorff loss jumps.
    assert (min(totals[1:]) if kind == 'Hausdorff' else totals[-1]) < totals[0]
    model.eval()
    (first, _) = model.predict(images, samples)
    labels = first.pred_sem_seg.data
    assert labels.shape == (1, 64, 64)
    assert not labels.is_floating_point()
    if model.out_channels == 1:
        assert not small_logits_suffice(model, samples)
        chance = first.seg_logits.data
        assert torch.equal(labels, (chance > 0.4).long())


def test_weighted_cross_entropy_averages_over_what_counts():
    logits, labels = torch.randn(2, 4, 5, 5).double(), torch.randint(0, 4, (2, 5, 5))
    weight = torch.tensor(WEIGHT).double()
    loss = CrossEntropyLoss(class_weight=WEIGHT)
    whole = F.cross_entropy(logits, labels, weight)
    torch.testing.assert_close(loss(logits, labels), whole, rtol=1e-6, atol=0)
    labels[:, 0] = 255
    counted = F.cross_entropy(logits, labels, weight, ignore_index=255)
    for averaged in (False, True):
        loss.avg_non_ignore = averaged
        found = loss(logits, labels, ignore_index=255)
        torch.testing.assert_close(found, counted, rtol=1e-6, atol=0)
    # A class may be what is ignored: mmseg counts its weight unless told not to.
    labels[:, 0] = 2
    total = F.cross_entropy(logits, labels, weight, ignore_index=2, reduction='sum')
    for averaged, kept in ((False, labels >= 0), (True, labels != 2)):
        loss.avg_non_ignore = averaged
        expected = total / weight[labels[kept]].sum()
        found = loss(logits, labels, ignore_index=2)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('reduction', ['mean', 'none'])
def test_focal_loss_of_label_maps_is_its_formula(channels, reduction):
    logits = torch.randn(2, channels, 4, 5).double()
    labels = torch.randint(0, max(channels, 2), (2, 4, 5))
    labels[:, 0] = 255
    chance = logits.sigmoid()
    shown = torch.arange(channels) + (channels == 1)
    truth = (labels[:, None] == shown.view(1, -1, 1, 1)).double()
    right = chance * truth + (1 - chance) * (1 - truth)
    alpha = 0.25 * truth + 0.75 * (1 - truth)
    expected = -alpha * (1 - right) ** 2 * right.log() * (labels[:, None] != 255)
    expected = 2 * (expected.mean() if reduction == 'mean' else expected)
    loss = FocalLoss(alpha=0.25, reduction=reduction, loss_weight=2.0)
    torch.testing.assert_close(loss(logits, labels), expected)
    if channels > 1:  # mmseg's own way, for labels of one number a channel
        counted = labels[:, None].expand_as(truth) != 255
        own = loss(logits, truth) * counted if reduction == 'none' else None
        if own is not None:
            torch.testing.assert_close(loss(logits, labels), own)
