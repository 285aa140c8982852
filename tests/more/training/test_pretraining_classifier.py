"""The classifier: what of the backbone it trains, and its layout."""

import pytest
import torch
from pretraining_support import PROJECT, load_classifier
from torch.testing import assert_close

from sctnet.catalog import load_config
from sctnet.errors import CheckpointError
from sctnet.models import SCTNet

NAMES = sorted(path.stem for path in (PROJECT / 'configs').glob('*.py'))


def batch(count=4, size=64):
    images = torch.randint(0, 256, (count, size, size, 3), dtype=torch.uint8)
    labels = torch.arange(count) % 3
    return {'images': images, 'labels': labels, 'img_path': ['x.jpg'] * count}


def loss_of(model, data):
    return model(**model.data_preprocessor(data, training=True), mode='loss')['loss']


def test_every_weight_that_init_cfg_takes_is_trained_in_earnest():
    """The context module too: its gradients are of the size of the others'."""
    model = load_classifier().train()
    model.backbone.apply(lambda m: setattr(m, 'drop_prob', 0.0))
    loss_of(model, batch()).backward()
    weights = dict(model.backbone.named_parameters())
    assert all(w.grad.isfinite().all() for w in weights.values())
    assert all(w.grad.abs().max() > 0 for w in weights.values())
    sizes = {
        name: float((weight.grad.norm() / weight.norm()).detach())
        for name, weight in weights.items()
        if name.endswith('conv.weight') or name == 'stem.0.weight'
    }
    assert sum('dappm' in name for name in sizes) == 11
    assert min(sizes.values()) > 1e-3 * max(sizes.values())


@pytest.mark.parametrize('name', NAMES)
def test_configs_load_build_and_fit_the_backbones_of_the_segmentors(name):
    model = load_classifier(name)
    size = name.split('_')[1]
    leaf = {'b': 'sctnet-b-ade', 's': 'sctnet-s-ade', 't': 'sctnet-t-streets'}[size]
    segmentor = load_config(leaf).model.backbone
    segmentor = SCTNet(segmentor.base_channels, segmentor.dappm_channels)
    built = {k: v.shape for k, v in model.backbone.state_dict().items()}
    assert built == {k: v.shape for k, v in segmentor.state_dict().items()}
    with torch.no_grad():
        (sample, *_) = model.eval()(**model.data_preprocessor(batch(2)), mode='predict')
    assert sample.pred_score.shape == (1000 if 'imagenet' in name else 8,)


def test_channels_last_changes_nothing_but_the_layout():
    model = load_classifier().eval()
    plain = load_classifier(channels_last=False).eval()
    plain.load_state_dict(model.state_dict())
    data = batch()
    assert_close(loss_of(model, data), loss_of(plain, data))
    assert model.backbone.stem[0].weight.is_contiguous(
        memory_format=torch.channels_last
    )
    assert plain.backbone.stem[0].weight.is_contiguous()
    inputs = model.data_preprocessor(data)['inputs']
    assert inputs.is_contiguous(memory_format=torch.channels_last)


def test_images_are_normalised_as_the_segmentor_will():
    from mmseg.registry import MODELS

    data = batch(2)
    images = load_classifier().data_preprocessor(data)['inputs']
    cfg = load_config('sctnet-s-ade').model.data_preprocessor
    segmentors = MODELS.build({**cfg, 'size': (64, 64)})
    expected = segmentors({'inputs': list(data['images'].permute(0, 3, 1, 2))})
    assert_close(images, expected['inputs'])
    samples = load_classifier().data_preprocessor(data)['data_samples']
    assert [int(sample.gt_label) for sample in samples] == [0, 1]
    assert samples[0].img_path == 'x.jpg'


def test_another_sizes_weights_are_refused():
    from mmpretrain.models import LinearClsHead

    small, large = load_classifier(NAMES[1]), load_classifier()
    with pytest.raises(CheckpointError, match=r'is SCTNet-S \(32 base channels\)'):
        large.load_state_dict(small.state_dict())
    head = {'type': LinearClsHead, 'in_channels': 192, 'num_classes': 5}
    other = load_classifier(head=head)
    with pytest.raises(CheckpointError, match=r'other shapes in 2 of head\.fc'):
        large.load_state_dict(other.state_dict())
