import sys

import numpy as np
import pytest
import torch
from support import SEG50

from sctnet.apis import inference_model, init_model
from sctnet.deploy.runtime_segmentor import run_on
from sctnet.deploy.runtimes import BACKENDS, build_runtime
from sctnet.errors import ArgumentError, CheckpointError, ConfigError

PHOTO = np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)


@pytest.fixture(scope='module')
def model(released_city_s):
    return init_model(SEG50, released_city_s, 'cpu', backend='torch')


RUNTIMES = [
    ('onnxruntime', {}),
    ('openvino', {'threads': 1}),
    ('torch', {'channels_last': True}),
    ('torch', {'dtype': 'bf16'}),
    pytest.param('torch', {'compile': True}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(('backend', 'options'), RUNTIMES)
def test_every_backend_gives_torchs_labels(backend, options, model):
    """Wherever the margin exceeds what the precision tells apart."""
    runtime = run_on(model, backend, 'cpu', options)
    result = inference_model(runtime, PHOTO)
    expected = inference_model(model, PHOTO, logits=True)
    scores = expected.seg_logits.data
    best = scores.topk(2, dim=0).values
    margin = (0.2 if 'dtype' in options else 1e-4) * scores.std()
    differs = result.pred_sem_seg.data != expected.pred_sem_seg.data
    assert not (differs & (best[0] - best[1] > margin)).any()
    if 'dtype' not in options:
        assert differs.double().mean() <= 1e-4
    assert result.pred_sem_seg.data.shape == (1, 100, 150)
    assert result.metainfo['classes'][0] == 'road'


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_batches_and_sizes_through_one_runtime(backend, model):
    from sctnet.deploy import Network

    network = Network(model)
    run = build_runtime(network, backend)
    for shape in ((1, 3, 64, 64), (3, 3, 97, 130), (2, 3, 256, 64)):
        images = torch.randn(shape)
        with torch.no_grad():
            expected = network(images)
        torch.testing.assert_close(
            run(images), expected, rtol=0, atol=1e-4 * expected.std().item()
        )


def test_onnx_runtime_is_the_default_of_an_sctnet_on_a_cpu(model, monkeypatch):
    assert init_model(SEG50, device='cpu').backend == 'onnxruntime'
    assert type(init_model('segformer-b2-ade', device='cpu')).__name__ != (
        'RuntimeSegmentor'
    )
    slide = {'model.test_cfg': {'mode': 'slide', 'crop_size': (64, 64), 'stride': 32}}
    assert init_model(SEG50, device='cpu', cfg_options=slide).backbone
    monkeypatch.setattr('sctnet.apis.is_installed', lambda _: False)
    assert init_model(SEG50, device='cpu').backbone


def test_mmsegs_own_inference_takes_a_runtime(model):
    import mmseg.apis

    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    result = mmseg.apis.inference_model(runtime, PHOTO)
    expected = inference_model(runtime, PHOTO)
    assert torch.equal(result.pred_sem_seg.data, expected.pred_sem_seg.data)


def test_more_than_labels_on_request(model):
    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    result = inference_model(runtime, PHOTO, logits=True, confidence=True, top_k=3)
    scores = result.seg_logits.data
    assert scores.shape == (19, 100, 150)
    labels = result.pred_sem_seg.data
    assert (labels[0] == scores.argmax(0)).double().mean() > 0.9999
    assert result.top_k_labels.data.shape == (3, 100, 150)
    assert (result.top_k_labels.data[0] == labels[0]).double().mean() > 0.9999
    torch.testing.assert_close(
        result.confidence.data[0], scores.softmax(0).amax(0), rtol=1e-4, atol=1e-6
    )
    with pytest.raises(ArgumentError, match='top_k is -1'):
        inference_model(runtime, PHOTO, top_k=-1)


def test_what_a_runtime_does_not_have_names_the_remedy(model):
    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    with pytest.raises(AttributeError, match="backend='torch'"):
        runtime.backbone  # noqa: B018
    assert runtime.eval() is runtime
    assert 'onnxruntime' in repr(runtime)


def test_augmented_images_are_refused(model):
    from mmseg.structures import SegDataSample

    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    sample = SegDataSample(metainfo={'flip': True, 'ori_shape': (64, 64)})
    data = {'inputs': [torch.zeros(3, 64, 64)], 'data_samples': [sample]}
    with pytest.raises(ArgumentError, match='test-time augmentation'):
        runtime.test_step(data)


def test_unknown_backends_and_options():
    with pytest.raises(ArgumentError, match='did you mean onnxruntime'):
        init_model(SEG50, device='cpu', backend='onxruntime')
    with pytest.raises(ArgumentError, match="no option 'thread': expected threads"):
        init_model(SEG50, device='cpu', backend='onnxruntime', thread=2)
    with pytest.raises(ArgumentError, match='expected one of fp32'):
        init_model(SEG50, device='cpu', backend='torch', dtype='int4')
    with pytest.raises(ArgumentError, match='cuda_graphs needs a GPU'):
        init_model(SEG50, device='cpu', backend='torch', cuda_graphs=True)


@pytest.mark.parametrize('backend', BACKENDS[1:])
def test_a_missing_package_names_what_to_install(backend, monkeypatch):
    monkeypatch.setattr('sctnet.deploy.runtimes.is_installed', lambda _: False)
    extra = {'onnxruntime': 'onnx'}.get(backend, backend)
    with pytest.raises(ArgumentError, match=rf"pip install 'sctnet\[{extra}\]'"):
        init_model(SEG50, device='cpu', backend=backend)


def test_a_gpu_that_onnx_runtime_cannot_use(model):
    from sctnet.deploy import Network

    with pytest.raises(ArgumentError, match='onnxruntime-gpu'):
        build_runtime(Network(model), 'onnxruntime', 'cuda:0')


def test_slide_mode_is_torchs_alone():
    slide = {'model.test_cfg': {'mode': 'slide', 'crop_size': (64, 64), 'stride': 32}}
    with pytest.raises(ConfigError, match="backend='torch'"):
        init_model(SEG50, device='cpu', cfg_options=slide, backend='onnxruntime')


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_damaged_files(backend, tmp_path):
    path = tmp_path / 'broken.onnx'
    path.write_bytes(b'no model')
    with pytest.raises(CheckpointError, match=r"cannot open '.*broken\.onnx'"):
        build_runtime(str(path), backend)


def test_nothing_of_the_runtimes_is_imported_before_it_is_used():
    import subprocess

    code = (
        'import sys, sctnet.apis; '
        "print([m for m in ('onnxruntime', 'openvino', 'onnx', 'numba') "
        'if m in sys.modules])'
    )
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == '[]'
