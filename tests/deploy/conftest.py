"""A narrow network and what was exported of it, made once a session."""

import numpy as np
import pytest
import torch
from support import SEG50, randomise

from sctnet.apis import init_model
from sctnet.deploy.export import export_model
from sctnet.deploy.runtime_segmentor import run_on

NARROW = {
    'model.backbone.base_channels': 8,
    'model.backbone.dappm_channels': 8,
    'model.decode_head.in_channels': 32,
    'model.decode_head.channels': 32,
    'test_pipeline.1.scale': (192, 96),
}


@pytest.fixture(scope='session')
def narrow():
    """Options that make an SCTNet narrow, and its images small."""
    return NARROW


@pytest.fixture(scope='session')
def photo_array():
    return np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8)


@pytest.fixture(scope='session')
def network():
    """A narrow segmentor of 19 classes on torch; it is nobody's to change."""
    torch.manual_seed(0)
    return randomise(init_model(SEG50, None, 'cpu', NARROW, backend='torch'))


@pytest.fixture(scope='session')
def weights(network, tmp_path_factory):
    """The file of its weights."""
    path = tmp_path_factory.mktemp('weights') / 'iter_1.pth'
    torch.save({'meta': {}, 'state_dict': network.state_dict()}, path)
    return path


@pytest.fixture(scope='session')
def exported(network, tmp_path_factory):
    """A folder with the network as .onnx and as .xml."""
    folder = tmp_path_factory.mktemp('exported')
    for suffix in ('onnx', 'xml'):
        agreement = export_model(network, folder / f'sctnet.{suffix}')
        assert agreement.labels >= 0.9999
        assert 0 < agreement.difference <= 1e-4
    return folder


@pytest.fixture(scope='session')
def on_onnxruntime(network):
    """The network on ONNX Runtime."""
    return run_on(network, 'onnxruntime', 'cpu', {})
