import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import mmseg.apis
import numpy as np
import pytest
import torch
from support import SEG50

from sctnet.apis import inference_model, init_model
from sctnet.deploy.network import Network
from sctnet.deploy.runtime_segmentor import run_on
from sctnet.deploy.runtimes import Runtime
from sctnet.errors import ArgumentError, CheckpointError

RUNTIMES = [
    ('onnxruntime', {}),
    ('openvino', {'threads': 1}),
    ('torch', {'channels_last': True}),
    ('torch', {'dtype': 'bf16'}),
    pytest.param('torch', {'compile': True}, marks=pytest.mark.more),
]


@pytest.mark.parametrize(('backend', 'options'), RUNTIMES)
def test_every_backend_gives_torchs_labels(backend, options, network, photo_array):
    """Wherever the margin exceeds what the precision tells apart."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    runtime = run_on(network, backend, 'cpu', options)
    result = inference_model(runtime, photo_array)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])  # it was copied
        assert value.dtype == before[name].dtype
    assert all(value.requires_grad for value in network.parameters())
    expected = inference_model(network, photo_array, logits=True)
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
def test_batches_and_sizes_through_one_runtime(backend, network):
    copy = Network(network)
    run = Runtime(copy, backend)
    for shape in ((1, 3, 64, 64), (3, 3, 97, 130), (2, 3, 256, 64)):
        images = torch.randn(shape)
        expected = copy(images)
        torch.testing.assert_close(
            run(images), expected, rtol=0, atol=1e-4 * expected.std().item()
        )


def test_mmsegs_own_inference_takes_a_runtime(on_onnxruntime, photo_array):
    result = mmseg.apis.inference_model(on_onnxruntime, photo_array)
    expected = inference_model(on_onnxruntime, photo_array)
    assert torch.equal(result.pred_sem_seg.data, expected.pred_sem_seg.data)


def test_more_than_labels_on_request(on_onnxruntime, photo_array):
    wanted = {'logits': True, 'confidence': True, 'top_k': 3}
    result = inference_model(on_onnxruntime, photo_array, **wanted)
    scores = result.seg_logits.data
    assert scores.shape == (19, 100, 150)
    labels = result.pred_sem_seg.data
    assert (labels[0] == scores.argmax(0)).double().mean() > 0.9999
    assert result.top_k_labels.data.shape == (3, 100, 150)
    best = scores.softmax(0).topk(3, dim=0)
    assert torch.equal(result.top_k_labels.data, best.indices)
    assert torch.equal(result.top_k_scores.data, best.values)
    assert torch.equal(result.confidence.data, best.values[:1])
    for wrong in (-1, 2.5, True):
        with pytest.raises(ArgumentError, match='top_k is'):
            inference_model(on_onnxruntime, photo_array, top_k=wrong)


def test_what_a_runtime_does_not_have_names_the_remedy(on_onnxruntime):
    with pytest.raises(AttributeError, match="backend='torch'"):
        on_onnxruntime.backbone  # noqa: B018
    assert on_onnxruntime.eval() is on_onnxruntime
    assert 'onnxruntime' in repr(on_onnxruntime)


def test_flips_are_undone_by_torch_and_refused_elsewhere(network, photo_array):
    plain = inference_model(network, photo_array)
    flipping = run_on(network, 'onnxruntime', 'cpu', {})
    original, cfg = network.cfg, network.cfg.copy()
    flip = {'type': 'RandomFlip', 'prob': 1.0}
    cfg.test_pipeline = [*cfg.test_pipeline[:2], flip, {'type': 'PackSegInputs'}]
    flipping.cfg = cfg
    for infer in (inference_model, mmseg.apis.inference_model):
        with pytest.raises(ArgumentError, match='leave RandomFlip out'):
            infer(flipping, photo_array)
    network.cfg = cfg
    try:
        undone = inference_model(network, photo_array)
    finally:
        network.cfg = original
    assert (plain.pred_sem_seg.data == undone.pred_sem_seg.data).double().mean() > 0.5


def test_a_network_that_onnx_cannot_hold():
    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.nn.functional.adaptive_avg_pool2d(x * self.weight, (3, 7))

    with pytest.raises(ArgumentError, match='the network cannot be exported to ONNX'):
        Runtime(Odd().eval(), 'onnxruntime')


@pytest.mark.parametrize('backend', ['openvino', 'onnxruntime'])
def test_one_runtime_serves_several_threads(backend, network, photo_array):
    runtime = run_on(network, backend, 'cpu', {'threads': 1})
    photos = [photo_array, photo_array[::-1], photo_array[:, ::-1]]
    photos = [np.ascontiguousarray(photo) for photo in photos]
    expected = [inference_model(runtime, photo).pred_sem_seg.data for photo in photos]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda p: inference_model(runtime, p), 4 * photos))
    for result, labels in zip(results, 4 * expected, strict=True):
        assert torch.equal(result.pred_sem_seg.data, labels)


def test_a_closed_runtime_says_so(network, photo_array):
    runtime = run_on(network, 'onnxruntime', 'cpu', {})
    runtime.close()
    with pytest.raises(ArgumentError, match='the network is closed: open it again'):
        inference_model(runtime, photo_array)


def test_threads_are_the_label_maps_too(network, photo_array):
    def started(options):
        before = set(threading.enumerate())
        runtime = run_on(network, 'onnxruntime', 'cpu', options)
        torch.set_num_threads(5)
        try:
            inference_model(runtime, photo_array)
        finally:
            torch.set_num_threads(1)
        new = set(threading.enumerate()) - before
        return sum(thread.name.startswith('sctnet') for thread in new)

    assert started({'threads': 1}) == 0
    assert started({}) > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
@pytest.mark.parametrize('options', [{}, {'dtype': 'fp16'}, {'cuda_graphs': True}])
def test_gpu_gives_the_labels_of_the_cpu(
    options, narrow, weights, network, photo_array
):
    torch.backends.cudnn.allow_tf32 = False
    device = f'cuda:{torch.cuda.device_count() - 1}'
    on_gpu = init_model(SEG50, weights, device, narrow, backend='torch', **options)
    expected = inference_model(network, photo_array).pred_sem_seg.data
    with ThreadPoolExecutor(2) as pool:
        for result in pool.map(lambda p: inference_model(on_gpu, p), 4 * [photo_array]):
            labels = result.pred_sem_seg.data.cpu()
            assert (labels == expected).double().mean() > (0.98 if options else 0.999)


def refusal(call, *args):
    with pytest.raises(CheckpointError) as caught:
        call(*args)
    return str(caught.value)


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_what_a_backends_library_refuses_is_one_sentence(backend, network, tmp_path):
    path = tmp_path / 'broken.onnx'
    path.write_bytes(b'no model')
    words = refusal(Runtime, str(path), backend)
    assert f"cannot open '{path}' (" in words
    with Runtime(Network(network), backend) as run:
        words += refusal(run, torch.zeros(1, 4, 64, 64))
    # Of two OpenVINO models the first may not outlive the second: its signal stack is
    # gone then, and the next Ctrl-C a segmentation fault.
    gc.collect()
    assert 'cannot run the network on (1, 4, 64, 64) (' in words
    assert '\n' not in words


def test_nothing_of_the_runtimes_is_imported_before_it_is_used():
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
