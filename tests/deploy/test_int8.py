import json

import cv2
import numpy as np
import onnx
import pytest

from sctnet.apis import inference_model, init_model
from sctnet.deploy.int8 import quantise_model
from sctnet.errors import ArgumentError, ImageError


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp('images')
    random = np.random.default_rng(0)
    for number in range(6):
        small = random.integers(0, 256, (8, 16, 3), np.uint8)
        large = cv2.resize(small, (128, 64), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f'{number}.png'), large)
    return folder


def test_int8_is_smaller_and_its_agreement_is_told(network, exported, images, tmp_path):
    file = tmp_path / 'int8.onnx'
    agreement = quantise_model(network, file, images)
    assert 0.5 < agreement.labels < 1
    assert 0 < agreement.difference < 2
    assert file.stat().st_size < 0.6 * (exported / 'sctnet.onnx').stat().st_size
    (said,) = onnx.load(file).metadata_props
    assert json.loads(said.value)['precision'] == 'int8'
    again = init_model(file, device='cpu')
    assert again.dataset_meta['classes'][0] == 'road'
    assert inference_model(again, images / '0.png').pred_sem_seg.data.max() < 19


def test_bad_calibration(network, images, tmp_path):
    with pytest.raises(ImageError, match='is no folder'):
        quantise_model(network, tmp_path / 'x.onnx', tmp_path / 'nowhere')
    with pytest.raises(ImageError, match='has 0 images: expected at least 4'):
        quantise_model(network, tmp_path / 'x.onnx', tmp_path)
    with pytest.raises(ArgumentError, match=r'INT8 is written as \.onnx alone'):
        quantise_model(network, tmp_path / 'x.xml', images)
    (tmp_path / 'broken').mkdir()
    for number in range(4):
        (tmp_path / 'broken' / f'{number}.png').write_bytes(b'no image')
    with pytest.raises(ImageError, match='truncated or not an image'):
        quantise_model(network, tmp_path / 'x.onnx', tmp_path / 'broken')
    assert not (tmp_path / 'x.onnx').exists()
