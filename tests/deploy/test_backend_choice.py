"""Which back end runs, with which options, and what is said of those it lacks."""

import pytest
from support import SEG50

from sctnet.apis import init_model
from sctnet.deploy.network import Network
from sctnet.deploy.runtimes import BACKENDS, Runtime
from sctnet.errors import ArgumentError, ConfigError

SLIDE = {'model.test_cfg': {'mode': 'slide', 'crop_size': (64, 64), 'stride': (32, 32)}}


def test_onnx_runtime_is_the_default_of_an_sctnet_on_a_cpu(narrow, monkeypatch):
    assert init_model(SEG50, None, 'cpu', narrow).backend == 'onnxruntime'
    assert init_model('segformer-t-streets', device='cpu').backbone
    assert init_model(SEG50, None, 'cpu', {**narrow, **SLIDE}).backbone
    for missing in ('onnx', 'onnxruntime'):
        monkeypatch.setattr(
            'sctnet.apis.is_installed', lambda name, no=missing: name != no
        )
        assert init_model(SEG50, None, 'cpu', narrow).backbone


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'backend': 'onxruntime'}, 'did you mean onnxruntime'),
        ({'backend': 3}, "'3' is not known"),
        ({'thread': 2}, "no option 'thread': expected threads"),
        (
            {'backend': 'onnxruntime', 'dtype': 'fp16'},
            'expected threads, or the backend torch',
        ),
        ({'threads': 0}, 'threads is 0: expected 1 or more'),
        ({'threads': '2'}, "threads is '2': expected 1 or more"),
        ({'backend': 'openvino', 'threads': 0}, 'expected 1 or more'),
        ({'backend': 'openvino', 'precision': 'f32'}, 'one of fp32, fp16, bf16'),
        ({'backend': 'openvino', 'target': 'X'}, 'OpenVINO finds CPU'),
        ({'backend': 'torch', 'dtype': 'int4'}, 'expected one of fp32'),
        ({'backend': 'torch', 'channels_last': 'x'}, 'expected True or False'),
        ({'backend': 'torch', 'cuda_graphs': True}, 'cuda_graphs needs a GPU'),
    ],
)
def test_unknown_backends_and_options(options, words, narrow):
    with pytest.raises(ArgumentError, match=words):
        init_model(SEG50, None, 'cpu', narrow, **options)


@pytest.mark.parametrize('backend', BACKENDS[1:])
def test_a_missing_package_names_what_to_install(backend, monkeypatch):
    monkeypatch.setattr('sctnet.compat.optional_packages.is_installed', lambda _: False)
    extra = {'onnxruntime': 'onnx'}.get(backend, backend)
    with pytest.raises(ArgumentError, match=rf"pip install 'sctnet\[{extra}\]'"):
        init_model(SEG50, device='cpu', backend=backend)


def test_gpus_that_a_backend_cannot_use(network):
    with pytest.raises(ArgumentError, match='onnxruntime-gpu'):
        Runtime(Network(network), 'onnxruntime', 'cuda:0')
    with pytest.raises(ArgumentError, match="target='GPU'"):
        Runtime(Network(network), 'openvino', 'cuda:0')


def test_slide_mode_is_torchs_alone(narrow):
    with pytest.raises(ConfigError, match="backend='torch'"):
        init_model(SEG50, None, 'cpu', {**narrow, **SLIDE}, backend='onnxruntime')
