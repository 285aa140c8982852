import os
import signal

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from support import SEG50, released_checkpoint

import sctnet  # noqa: F401  mmseg comes after it

# Each folder below it is for an environment of its own: make test-more.
collect_ignore = ['more']

torch.set_num_threads(1)
if not torch.cuda.is_available():
    # Triton looks when it is imported, which torch.compile may do in any test.
    os.environ['TRITON_INTERPRET'] = '1'


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    init_default_scope('mmseg')  # a Runner of another test may have left its own


@pytest.fixture
def interruptible():
    """A shell's job in the background ignores interrupts, and so do its children."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def tiny_model():
    """Builder of an SCTNet segmentor small enough to train in a test."""
    from mmseg.registry import MODELS

    def build(num_classes=4, auxiliary=True, **backbone):
        norm_cfg = {'type': 'BN'}
        backbone = {'base_channels': 8, 'dappm_channels': 8, **backbone}
        c = backbone['base_channels']
        head = {'type': 'SCTHead', 'num_classes': num_classes, 'norm_cfg': norm_cfg}
        return MODELS.build(
            {
                'type': 'mmseg.SCTSegmentor',
                'backbone': {'type': 'SCTNet', 'norm_cfg': norm_cfg, **backbone},
                'decode_head': {
                    **head,
                    'in_channels': 4 * c,
                    'channels': 4 * c,
                    'in_index': 3,
                },
                'auxiliary_head': {
                    **head,
                    'in_channels': 2 * c,
                    'channels': 2 * c,
                    'in_index': 0,
                }
                if auxiliary
                else None,
            }
        )

    return build


@pytest.fixture(scope='session')
def released_ade_s(tmp_path_factory):
    """A released-form ADE-S file, with optimizer, teacher and alignment."""
    return released_checkpoint('ade_s', tmp_path_factory.mktemp('released') / 'a.pth')


@pytest.fixture(scope='session')
def released_city_s(tmp_path_factory):
    """A released-form Cityscapes-S file, with optimizer, teacher and alignment."""
    path = tmp_path_factory.mktemp('released') / 'c.pth'
    return released_checkpoint('city_s_seg50', path)


@pytest.fixture(scope='session')
def photo(tmp_path_factory):
    """A file with a smooth colour image of 96x80 pixels."""
    path = tmp_path_factory.mktemp('photo') / 'photo.png'
    noise = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (96, 80), interpolation=cv2.INTER_CUBIC))
    return path


@pytest.fixture(scope='session')
def streets(tmp_path_factory):
    """Four street scenes in the layout of Cityscapes, 256x128."""
    from sctnet.datasets.street_scenes import write_street_scenes

    root = tmp_path_factory.mktemp('data') / 'streets'
    return write_street_scenes(root, num_train=2, num_val=2, size=(256, 128))


@pytest.fixture(scope='session')
def seg50_cfg():
    from sctnet.catalog import load_config

    return load_config(SEG50)
