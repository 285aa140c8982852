import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmseg.models import SegDataPreProcessor
from mmseg.registry import TRANSFORMS

from sctnet.catalog import load_config
from sctnet.models import BatchDataPreProcessor
from sctnet.prediction.preprocess import (
    ImagePreprocessor,
    array_pipeline,
    value_table,
)

IMAGE = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)
VALUES = {'mean': [123.675, 116.28, 103.53], 'std': [58.395, 57.12, 57.375]}


def test_the_batchs_preprocessor_is_looked_up_too_but_not_what_is_derived_from_it():
    class Own(BatchDataPreProcessor):
        pass

    expected = value_table(SegDataPreProcessor(**VALUES))
    assert np.array_equal(value_table(BatchDataPreProcessor(**VALUES)), expected)
    assert value_table(Own(**VALUES)) is None


def mmsegs(pipeline, preprocessor, image):
    steps = [TRANSFORMS.build(step) for step in array_pipeline(pipeline)]
    data = Compose(steps)({'img': image})
    batch = {'inputs': [data['inputs']], 'data_samples': [data['data_samples']]}
    batch = preprocessor(batch, False)
    return batch['inputs'], batch['data_samples'][0]


def same(pipeline, preprocessor, image=IMAGE):
    inputs, sample = ImagePreprocessor(pipeline, preprocessor)(image)
    expected, theirs = mmsegs(pipeline, preprocessor, image)
    assert torch.equal(inputs, expected)
    assert sample.metainfo == theirs.metainfo
    return sample


@pytest.mark.parametrize('config', ['sctnet-s-ade', 'sctnet-b-seg50'])
def test_numbers_are_mmsegs_to_the_bit(config):
    cfg = load_config(config)
    options = {k: v for k, v in cfg.model.data_preprocessor.items() if k != 'type'}
    sample = same(cfg.test_pipeline, SegDataPreProcessor(**options))
    assert sample.metainfo['ori_shape'] == (100, 150)


@pytest.mark.parametrize(
    'options',
    [
        {**VALUES},
        {**VALUES, 'bgr_to_rgb': True},
        {**VALUES, 'rgb_to_bgr': True},
        {},
        {'mean': [127.5], 'std': [60.0]},
        {**VALUES, 'bgr_to_rgb': True, 'test_cfg': {'size_divisor': 32}},
    ],
)
def test_any_preprocessor_of_mmsegs(options):
    pipeline = [{'type': 'Resize', 'scale': (90, 70)}, {'type': 'PackSegInputs'}]
    same(pipeline, SegDataPreProcessor(**options))


@pytest.mark.parametrize('bands', [1, 2, 4, 7])
@pytest.mark.parametrize('kind', [np.uint8, np.uint16, np.float32])
def test_any_number_of_bands(bands, kind):
    image = np.random.default_rng(0).integers(0, 256, (80, 90, bands)).astype(kind)
    values = np.linspace(100, 130, bands).tolist()
    preprocessor = SegDataPreProcessor(mean=values, std=values, bgr_to_rgb=True)
    same([{'type': 'LoadBands'}, {'type': 'PackSegInputs'}], preprocessor, image)


def test_steps_of_the_users():
    preprocessor = SegDataPreProcessor(**VALUES, bgr_to_rgb=True)
    flip = {'type': 'RandomFlip', 'prob': 1.0}
    same([flip, {'type': 'PackSegInputs'}], preprocessor)
    # floats cannot be looked up
    norm = {'type': 'Normalize', 'mean': [1.0] * 3, 'std': [2.0] * 3, 'to_rgb': False}
    same([norm, {'type': 'PackSegInputs'}], preprocessor)


def test_files_and_annotations_are_left_out():
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}, {'type': 'X'}]
    assert array_pipeline(steps) == [{'type': 'LoadImageFromNDArray'}, {'type': 'X'}]
    assert steps[0] == {'type': 'LoadImageFromFile'}
