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
    for missing in ('onnx', 'onnxruntime'):
        monkeypatch.setattr(
            'sctnet.apis.is_installed', lambda name, no=missing: name != no
        )
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
    for wrong in (-1, 2.5, True):
        with pytest.raises(ArgumentError, match='top_k is'):
            inference_model(runtime, PHOTO, top_k=wrong)


def test_what_a_runtime_does_not_have_names_the_remedy(model):
    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    with pytest.raises(AttributeError, match="backend='torch'"):
        runtime.backbone  # noqa: B018
    assert runtime.eval() is runtime
    assert 'onnxruntime' in repr(runtime)


def test_flipped_images_are_refused_where_they_cannot_be_undone(model):
    options = {'test_pipeline.2': {'type': 'RandomFlip', 'prob': 1.0}}
    steps = [*model.cfg.test_pipeline[:2], options['test_pipeline.2']]
    cfg = model.cfg.copy()
    cfg.test_pipeline = [*steps, {'type': 'PackSegInputs'}]
    plain = inference_model(model, PHOTO)
    runtime = run_on(model, 'onnxruntime', 'cpu', {})
    runtime.cfg = cfg
    with pytest.raises(ArgumentError, match='leave RandomFlip out'):
        inference_model(runtime, PHOTO)
    original, model.cfg = model.cfg, cfg
    try:
        undone = inference_model(model, PHOTO)
    finally:
        model.cfg = original
    assert (plain.pred_sem_seg.data == undone.pred_sem_seg.data).double().mean() > 0.5


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
    with pytest.raises(ArgumentError, match='threads is 0: expected 1 or more'):
        init_model(SEG50, device='cpu', backend='openvino', threads=0)
    for threads in (0, '2'):
        with pytest.raises(ArgumentError, match='expected 1 or more'):
            init_model(SEG50, device='cpu', backend='onnxruntime', threads=threads)
    with pytest.raises(ArgumentError, match='expected one of fp32'):
        init_model(SEG50, device='cpu', backend='torch', dtype='int4')
    with pytest.raises(ArgumentError, match='expected one of fp32, fp16, bf16'):
        init_model(SEG50, device='cpu', backend='openvino', precision='f32')
    with pytest.raises(ArgumentError, match='OpenVINO finds CPU'):
        init_model(SEG50, device='cpu', backend='openvino', target='X')
    with pytest.raises(ArgumentError, match="'3' is not known"):
        init_model(SEG50, device='cpu', backend=3)
    with pytest.raises(ArgumentError, match='cuda_graphs needs a GPU'):
        init_model(SEG50, device='cpu', backend='torch', cuda_graphs=True)


@pytest.mark.parametrize('backend', BACKENDS[1:])
def test_a_missing_package_names_what_to_install(backend, monkeypatch):
    monkeypatch.setattr('sctnet.compat.optional_packages.is_installed', lambda _: False)
    extra = {'onnxruntime': 'onnx'}.get(backend, backend)
    with pytest.raises(ArgumentError, match=rf"pip install 'sctnet\[{extra}\]'"):
        init_model(SEG50, device='cpu', backend=backend)


def test_a_gpu_that_onnx_runtime_cannot_use(model):
    from sctnet.deploy import Network

    with pytest.raises(ArgumentError, match='onnxruntime-gpu'):
        build_runtime(Network(model), 'onnxruntime', 'cuda:0')


def test_openvino_takes_no_gpu_of_torchs(model):
    from sctnet.deploy import Network

    with pytest.raises(ArgumentError, match="target='GPU'"):
        build_runtime(Network(model), 'openvino', 'cuda:0')


def test_a_network_that_onnx_cannot_hold(model):
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.nn.functional.adaptive_avg_pool2d(x * self.weight, (3, 7))

    with pytest.raises(ArgumentError, match='the network cannot be exported to ONNX'):
        build_runtime(Odd().eval(), 'onnxruntime')


def test_one_openvino_model_serves_several_threads(model):
    from concurrent.futures import ThreadPoolExecutor

    runtime = run_on(model, 'openvino', 'cpu', {'threads': 1})
    photos = [PHOTO, np.ascontiguousarray(PHOTO[::-1]), PHOTO[:, ::-1].copy()]
    expected = [inference_model(runtime, photo).pred_sem_seg.data for photo in photos]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda p: inference_model(runtime, p), 4 * photos))
    for result, labels in zip(results, 4 * expected, strict=True):
        assert torch.equal(result.pred_sem_seg.data, labels)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
@pytest.mark.parametrize('options', [{}, {'dtype': 'fp16'}, {'cuda_graphs': True}])
def test_gpu_gives_the_labels_of_the_cpu(options, released_city_s, model):
    torch.backends.cudnn.allow_tf32 = False
    device = f'cuda:{torch.cuda.device_count() - 1}'
    on_gpu = init_model(SEG50, released_city_s, device, backend='torch', **options)
    expected = inference_model(model, PHOTO).pred_sem_seg.data
    for _ in range(2):
        labels = inference_model(on_gpu, PHOTO).pred_sem_seg.data.cpu()
        assert (labels == expected).double().mean() > (0.98 if options else 0.999)


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


def test_a_network_that_fails_while_it_runs_is_one_sentence(model):
    from sctnet.deploy import Network

    run = build_runtime(Network(model), 'onnxruntime')
    with pytest.raises(CheckpointError, match='cannot run the exported') as e:
        run(torch.zeros(1, 4, 64, 64))
    assert '\n' not in str(e.value)
