"""Label maps from small logits inside the segmentor, as the Runner uses it."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.models import SegDataPreProcessor, SegTTAModel
from mmseg.structures import SegDataSample
from small_training import small_config
from support import SEG50

from sctnet.apis import inference_model
from sctnet.engine.runner import Runner
from sctnet.errors import ArgumentError
from sctnet.prediction.predict import small_logits_suffice


def sample(**meta):
    return SegDataSample(
        metainfo={'ori_shape': (90, 131), 'img_shape': (72, 104), **meta}
    )


@pytest.fixture
def model(tiny_model):
    model = tiny_model(num_classes=5).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 1, 3)
    return model


@torch.no_grad()
def predict(model, samples, shortcuts, size=(72, 104)):
    model.test_cfg = ConfigDict(mode='whole', shortcuts=shortcuts)
    images = torch.randn(
        len(samples), 3, *size, generator=torch.Generator().manual_seed(1)
    )
    return model.predict(images, samples)


@pytest.mark.parametrize(
    'metas',
    [
        [{}, {}],
        [
            {'img_padding_size': [5, 11, 2, 6]},
            {'padding_size': [0, 30, 0, 9], 'ori_shape': (33, 47)},
        ],
    ],
)
def test_a_batch_is_predicted_as_by_mmseg(metas, model):
    """The size and the padding of each sample are its own."""
    fused = predict(model, [sample(**meta) for meta in metas], True)
    plain = predict(model, [sample(**meta) for meta in metas], False)
    for meta, ours, theirs in zip(metas, fused, plain, strict=True):
        assert 'seg_logits' not in ours
        labels, expected = ours.pred_sem_seg.data, theirs.pred_sem_seg.data
        assert labels.dtype == expected.dtype
        assert labels.shape == expected.shape == (1, *meta.get('ori_shape', (90, 131)))
        assert (labels == expected).double().mean() >= 0.999
        assert len(expected.unique()) > 1


def test_augmented_images_keep_their_logits(model):
    result = predict(model, [sample(flip=True, flip_direction='horizontal')], True)
    assert result[0].seg_logits.data.shape == (5, 90, 131)


def test_several_scales_without_flips_are_averaged(model):
    """mmseg's test-time augmentation takes the logits, which it does not say."""
    model.test_cfg = ConfigDict(mode='whole')
    model.data_preprocessor = SegDataPreProcessor()
    images = [torch.randint(0, 255, (3, *size)) for size in ((72, 104), (96, 136))]
    samples = [[sample(img_path='a.png')] for _ in images]
    data = {'inputs': [[image] for image in images], 'data_samples': samples}
    with torch.no_grad():
        (result,) = SegTTAModel(model).test_step(data)
        model.test_cfg = ConfigDict(mode='whole', shortcuts=False)
        (scales,) = zip(
            *(
                model.test_step({'inputs': [image], 'data_samples': one})
                for image, one in zip(images, samples, strict=True)
            ),
            strict=True,
        )
    scales = [one.seg_logits.data.softmax(0) for one in scales]
    expected = sum(scales).argmax(0, keepdim=True)
    assert torch.equal(result.pred_sem_seg.data, expected)
    assert not torch.equal(expected[0], scales[0].argmax(0))


def test_where_small_logits_are_not_enough(model):
    class Own(type(model.decode_head)):
        def predict_by_feat(self, *args):
            return super().predict_by_feat(*args)

    model.test_cfg = ConfigDict(mode='whole')
    assert small_logits_suffice(model, [sample()])
    assert not small_logits_suffice(model, [sample(), sample(flip=False)])
    for change in (
        lambda: model.test_cfg.update(shortcuts=False),
        lambda: model.test_cfg.update(fused=False),
        lambda: model.test_cfg.update(mode='slide'),
        lambda: setattr(model, 'out_channels', 1),
        lambda: setattr(model, 'align_corners', True),
        lambda: setattr(model.decode_head, '__class__', Own),
    ):
        model.test_cfg, model.out_channels = ConfigDict(mode='whole'), 5
        model.align_corners = False
        assert small_logits_suffice(model, [sample()])
        change()
        assert not small_logits_suffice(model, [sample()])


def test_without_samples_it_is_mmsegs(model):
    (result,) = predict(model, [sample()], True)
    model.test_cfg = ConfigDict(mode='whole')
    images = torch.randn(1, 3, 72, 104)
    with torch.no_grad():
        (plain,) = model.predict(images)
    assert plain.seg_logits.data.shape == (5, 72, 104)
    assert 'seg_logits' not in result


def test_more_than_labels_needs_small_logits(model):
    model.test_cfg = ConfigDict(mode='whole', shortcuts=False)
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'PackSegInputs'}]
    model.cfg = ConfigDict(test_pipeline=steps)
    model.data_preprocessor = SegDataPreProcessor()
    image = torch.zeros(80, 90, 3, dtype=torch.uint8).numpy()
    assert 'seg_logits' in inference_model(model, image)
    with pytest.raises(ArgumentError, match='confidence and top_k need'):
        inference_model(model, image, confidence=True)


@pytest.mark.slow
def test_evaluation_gives_the_same_figures_to_the_last_digit(
    streets, released_city_s, tmp_path
):
    figures = []
    for short in (True, False):
        cfg = small_config(streets, tmp_path / str(short), leaf=SEG50)
        cfg.model.test_cfg.shortcuts = short
        cfg.custom_hooks, cfg.model.siam = [], None
        cfg.load_from = str(released_city_s)
        figures.append(Runner.from_cfg(cfg).test())
    assert figures[0] == figures[1]
    # Classes are told apart: one for all pixels would be the mean of 0s and a 100.
    assert figures[0]['mAcc'] not in (0, 100 / 19)
