"""The whole student against the original's, for all eight configs."""

import json

import numpy as np
import pytest
import torch
from support import (
    GOLDEN,
    PARAMETERS,
    SHORT_NAMES,
    assert_close_to_golden,
    family,
    fill,
    student_state,
)

from sctnet.apis import inference_model, init_model

pytestmark = pytest.mark.parity

# Seeded weights depend on names and shapes alone, so one file serves a family, and
# COCO's serves the backbone of ade_b.
FLOAT64 = {
    'ade_s': 'ade_s',
    'ade_b': 'coco_b',
    'coco_b': 'coco_b',
    'city_s': 'city_s_seg75',
    'city_b': 'city_b_seg100',
}


@pytest.fixture(scope='module', params=SHORT_NAMES)
def network(request):
    """One config's network with the original's seeded weights, and its key."""
    model = init_model(SHORT_NAMES[request.param], device='cpu', backend='torch')
    model.load_state_dict(student_state(request.param))
    return request.param, model


def load(name):
    with np.load(GOLDEN / f'{name}.npz') as data:
        arrays = {key: data[key] for key in data.files}
    return arrays, json.loads(str(arrays.pop('meta_json')))


def run(model, image):
    """Everything that was recorded of the original, by its name there."""
    x = torch.from_numpy(image).to(next(model.parameters()).dtype)
    with torch.no_grad():
        features = model.backbone(x)
        full = model.encode_decode(x, [{'img_shape': x.shape[-2:]}])
        return {
            'x_out': features.fused,
            'x2': features.detail,
            'x3': features.stage3,
            'x5': features.stage4,
            'logits': model.decode_head(features),
            'resized': full[:, :, ::5, ::5],
            'full': full,
        }


def test_parameter_count(network):
    config, model = network
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[family(config)]


def test_float32_equals_the_original_at_every_size(network):
    config, model = network
    golden, meta = load(f'eval_{config}')
    for height, width in meta['sizes']:
        tag = f'{height}x{width}'
        ours = run(model, fill.image(meta['seed'], meta['n'], height, width))
        for name in ('x_out', 'x2', 'x3', 'x5', 'logits', 'resized'):
            stats = meta['stats'][tag]['full' if name == 'resized' else name]
            assert_close_to_golden(
                ours[name], golden[f'{tag}.{name}'], rtol=0, atol=2e-5 * stats['std']
            )
        sure = np.unpackbits(golden[f'{tag}.sure'])[: height * width].astype(bool)
        assert sure.mean() > 0.99
        labels = ours['full'].argmax(dim=1).numpy().reshape(-1)
        expected = golden[f'{tag}.pred'].reshape(-1)
        np.testing.assert_array_equal(labels[sure], expected[sure])


def test_float64_equals_the_original(network):
    config, model = network
    golden, meta = load(f'double_{FLOAT64[family(config)]}')
    golden = {k: v for k, v in golden.items() if not k.startswith('teacher_')}
    if family(config) == 'ade_b':  # recorded with another number of classes
        golden = {k: v for k, v in golden.items() if k.startswith('x')}
    size = meta['image']
    image = fill.image(size['seed'], size['n'], size['h'], size['w'])
    ours = run(model.double(), image)
    model.float()
    for name, expected in golden.items():
        assert_close_to_golden(ours[name], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('backend', [None, 'torch', 'openvino'])
@pytest.mark.parametrize('config', ['ade_s', 'city_b_seg50'])
def test_label_map_equals_the_original_from_the_png(config, backend, tmp_path):
    golden, meta = load('preprocess')
    case = meta['cases'][config]
    torch.save({'state_dict': student_state(config)}, tmp_path / 'weights.pth')
    model = init_model(
        SHORT_NAMES[config], tmp_path / 'weights.pth', device='cpu', backend=backend
    )
    assert getattr(model, 'backend', 'torch') == (backend or 'onnxruntime')
    result = inference_model(model, GOLDEN / 'input.png')
    assert result.metainfo['img_shape'] == tuple(case['img_shape'][:2])
    labels = result.pred_sem_seg.data[0].numpy()
    sure = np.unpackbits(golden[f'{config}.sure'])[: labels.size].astype(bool)
    assert sure.mean() > 0.99
    np.testing.assert_array_equal(
        labels.reshape(-1)[sure], golden[f'{config}.pred'].reshape(-1)[sure]
    )


@pytest.mark.parametrize('config', ['ade_s', 'city_b_seg50'])
def test_network_input_equals_the_original_from_the_png(config):
    from sctnet.datasets.images import read_image
    from sctnet.prediction.preprocess import ImagePreprocessor

    golden, _ = load('preprocess')
    model = init_model(SHORT_NAMES[config], device='cpu', backend='torch')
    preprocess = ImagePreprocessor(model.cfg.test_pipeline, model.data_preprocessor)
    x, _ = preprocess(read_image(GOLDEN / 'input.png'))
    assert_close_to_golden(
        x[:, :, ::7, ::7], golden[f'{config}.input'], rtol=0, atol=1e-5
    )
    for moment, value in (('mean', x.double().mean((0, 2, 3))), ('std', x.double())):
        if moment == 'std':
            value = value.permute(1, 0, 2, 3).flatten(1).std(dim=1, correction=0)
        expected = torch.from_numpy(golden[f'{config}.input_{moment}'])
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
