import json

import numpy as np
import pytest
import torch
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from support import (
    GOLDEN,
    assert_close_to_golden,
    fill,
    original_state,
    randomise,
)

from sctnet.catalog import load_config
from sctnet.errors import ConfigError
from sctnet.models import Teacher
from sctnet.weights.segmentor_files import teacher_weights

NORM = {'type': 'SyncBN'}


def cnn_teacher(head='FCNHead', **kwargs):
    return {
        'type': 'EncoderDecoder',
        'backbone': {
            'type': 'ResNetV1c', 'depth': 18, 'base_channels': 8, 'stem_channels': 8,
            'norm_cfg': NORM,
        },
        'decode_head': {
            'type': head, 'in_channels': 64, 'in_index': 3, 'channels': 8,
            'num_classes': 4, 'norm_cfg': NORM, **kwargs,
        },
    }  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(
    ('golden', 'config', 'teacher'),
    [('ade_s', 'ade_s', 'segformer-b2-ade'), ('coco_b', 'coco_b', 'segformer-b3-coco')],
)
def test_every_feature_equals_the_originals(golden, config, teacher):
    with np.load(GOLDEN / f'double_{golden}.npz') as data:
        figures = {k: data[k] for k in data.files if k.startswith('teacher_')}
        meta = json.loads(str(data['meta_json']))['image']
    segmentor = MODELS.build(load_config(teacher).model)
    weights = teacher_weights(original_state(config, 'auxiliary_head.1.'))
    assert not segmentor.load_state_dict(weights).missing_keys
    network = Teacher(segmentor).double()
    image = fill.image(meta['seed'], meta['n'], meta['h'], meta['w'])
    features = network(torch.from_numpy(image).double(), shortcuts=False)
    decoded, logits = features.decoded
    merged = features.merged
    recorded = {
        'teacher_stage1': features.stages[0][:, :, ::3, ::3],
        'teacher_stage2': features.stages[1][:, :, ::2, ::2],
        'teacher_stage3': features.stages[2],
        'teacher_stage4': features.stages[3],
        'teacher_logits': logits,
        'teacher_out': decoded[:, ::4, ::2, ::2],
        'teacher_cat': merged[:, ::16, ::2, ::2],
    }
    assert recorded.keys() == figures.keys()
    for name, ours in recorded.items():
        assert_close_to_golden(ours, figures[name], rtol=1e-9, atol=1e-12)


@pytest.fixture(params=['segformer', 'cnn', 'cnn_concat'])
def teacher(request):
    if request.param == 'segformer':
        model = load_config('segformer-t-streets').model
        return Teacher(MODELS.build(model))
    concat = request.param == 'cnn_concat'
    return Teacher(MODELS.build(cnn_teacher(concat_input=concat)))


def test_it_is_frozen_and_stays_in_eval_without_sync_norms(teacher):
    teacher.train()
    assert not any(module.training for module in teacher.modules())
    assert not any(p.requires_grad for p in teacher.parameters())
    assert not any(isinstance(m, torch.nn.SyncBatchNorm) for m in teacher.modules())


def test_decoding_its_own_features_gives_its_own_logits(teacher):
    image = torch.randn(2, 3, 64, 96)
    features = teacher(image, shortcuts=False)
    with torch.no_grad():
        expected = teacher.segmentor(image, mode='tensor')
    decoded, logits = features.decoded
    merged = features.merged
    torch.testing.assert_close(logits, expected)
    assert merged.shape[1] == teacher.merged_channels
    assert not logits.requires_grad
    assert len(features.stages) == 4
    assert decoded.shape[2:] == logits.shape[2:]


def test_gradients_pass_through_its_decoder_and_leave_it_alone(teacher):
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    merged = torch.randn(2, teacher.merged_channels, 8, 8, requires_grad=True)
    sum(part.square().sum() for part in teacher.decode(merged)).backward()
    assert merged.grad.abs().max() > 0
    assert all(p.grad is None for p in teacher.parameters())
    for key, value in teacher.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_stages_alone_need_no_decoder():
    teacher = Teacher(MODELS.build(cnn_teacher('PSPHead')))
    assert not teacher.shares_decoder
    features = teacher(torch.randn(1, 3, 64, 64), decode=False)
    assert features.decoded is None
    assert len(features.stages) == 4


def test_what_is_no_segmentor_cannot_teach():
    with pytest.raises(ConfigError, match='a Conv2d cannot teach'):
        Teacher(torch.nn.Conv2d(1, 1, 1))


def streets_teacher(**options):
    torch.manual_seed(0)
    segmentor = MODELS.build(load_config('segformer-t-streets').model)
    return randomise(Teacher(segmentor, **options))


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
@pytest.mark.parametrize('shortcuts', [True, False])
def test_half_precision_is_near_and_its_rounding_is_measured(dtype, shortcuts):
    image = torch.randn(2, 3, 64, 96)
    exact, half = streets_teacher(), streets_teacher(dtype=dtype)
    ours, theirs = half(image, shortcuts=shortcuts), exact(image, shortcuts=shortcuts)
    unit = {'bf16': 2**-8, 'fp16': 2**-11}[dtype]
    measured = half.rounding(image)
    logits, expected = (x.decoded.logits.float() for x in (ours, theirs))
    error = float((logits - expected).norm() / expected.norm())
    assert unit / 8 < error < 8 * unit
    assert measured['logits'] == pytest.approx(error, rel=0.5)
    kept = (logits.argmax(dim=1) == expected.argmax(dim=1)).float().mean()
    assert measured['labels'] == pytest.approx(float(kept), abs=0.01)
    assert 0.9 < measured['labels'] <= 1
    assert list(measured) == [*(f'stage {i}' for i in range(1, 5)), 'logits', 'labels']
    assert all(unit / 8 < measured[f'stage {i}'] < 8 * unit for i in range(1, 5))
    assert all(p.dtype == torch.float32 for p in half.parameters())
    size = {'ori_shape': (64, 96), 'img_shape': (64, 96)}
    samples = [SegDataSample(metainfo=size) for _ in image]
    ours, theirs = (
        torch.stack([s.seg_logits.data for s in teacher.predict(image, samples)])
        for teacher in (half, exact)
    )
    assert unit / 8 < float((ours - theirs).norm() / theirs.norm()) < 8 * unit


def test_rounding_of_stages_alone_where_no_decoder_is_shared():
    segmentor = MODELS.build(cnn_teacher('PSPHead'))
    found = Teacher(segmentor, dtype='bf16').rounding(torch.randn(1, 3, 64, 64))
    assert list(found) == [f'stage {i}' for i in range(1, 5)]
    assert all(0 < error < 0.05 for error in found.values())


def test_other_precisions_are_an_error():
    with pytest.raises(ConfigError, match="dtype is 'int8': expected bf16 or fp16"):
        streets_teacher(dtype='int8')


@pytest.mark.slow
def test_a_compiled_teacher_computes_the_same(monkeypatch):
    compile, runs = torch.compile, []

    def traced(function):  # by Dynamo, without a C compiler's minutes
        traced = compile(function, backend='eager')
        return lambda *args: runs.append(1) or traced(*args)

    monkeypatch.setattr(torch, 'compile', traced)
    image = torch.randn(1, 3, 64, 64)
    compiled = streets_teacher(compile=True)
    assert compiled.stage_channels() == [32, 64, 160, 256]
    assert not runs  # for a size that training never has
    for shortcuts in (True, False):
        ours = compiled(image, shortcuts=shortcuts)
        theirs = streets_teacher()(image, shortcuts=shortcuts)
        for a, b in zip(ours.decoded, theirs.decoded, strict=True):
            torch.testing.assert_close(a, b)
    assert len(runs) == 2
