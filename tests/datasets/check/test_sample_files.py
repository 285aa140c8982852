"""A sample's two files: what can be told without decoding, and what decoding tells."""

from pathlib import Path

import numpy as np
import pytest
from own_folder import (
    claim_size,
    image_path,
    label_path,
    truncate,
    write,
    write_own_data,
)
from PIL import Image

from sctnet.datasets.check.sample_files import find_fault, quick_fault


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path, train=1)


@pytest.fixture
def info(root):
    image, labels = image_path(root, 'train', 0), label_path(root, 'train', 0)
    return {'img_path': str(image), 'seg_map_path': str(labels)}


@pytest.fixture
def undecoded(monkeypatch):
    """Decoding fails."""
    for name in ('read_picture', 'read_labels'):
        monkeypatch.setattr(f'sctnet.datasets.check.sample_files.{name}', None)


def test_sound_files_are_not_decoded(info, undecoded):
    assert quick_fault(info) is None


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_a_cut_image_is_found_by_its_end(root, info, suffix):
    path = image_path(root, 'train', 0)
    info['img_path'] = str(path.with_suffix(suffix))
    Image.open(path).save(info['img_path'])
    assert quick_fault(info) is None
    truncate(path.with_suffix(suffix), 0.9)
    broken, fault = quick_fault(info)
    assert broken == info['img_path']
    assert 'truncated' in fault


def test_ends_of_other_formats_are_not_known(root, info, undecoded):
    path = image_path(root, 'train', 0)
    info['img_path'] = str(path.with_suffix('.bmp'))
    Image.open(path).save(info['img_path'])
    truncate(path.with_suffix('.bmp'), 0.9)
    assert quick_fault(info) is None


@pytest.mark.parametrize('key', ['img_path', 'seg_map_path'])
def test_a_header_that_claims_too_much_is_believed(key, info, undecoded):
    claim_size(Path(info[key]), 20_000, 20_000)
    path, fault = quick_fault(info)
    assert path == info[key]
    assert fault.startswith('claims more than')


def test_sizes_that_differ_are_told_with_and_without_decoding(root, info):
    write(label_path(root, 'train', 0), np.zeros((40, 48), np.uint8))
    told = info['seg_map_path'], 'image 96x80, label map 48x40'
    assert quick_fault(info) == told
    assert find_fault(info) == told


def test_a_photo_turned_by_its_tag_fits_its_turned_labels(root, info):
    turned = image_path(root, 'train', 0).with_suffix('.jpg')
    with Image.open(info['img_path']) as image:
        exif = image.getexif()
        exif[0x0112] = 6
        image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    info['img_path'] = str(turned)
    assert quick_fault(info) is None
    assert find_fault(info) is None


def test_files_elsewhere_and_of_other_kinds_are_left_to_the_pipeline(tmp_path):
    gone = {'img_path': str(tmp_path / 'gone.png'), 'seg_map_path': None}
    assert quick_fault(gone) is None  # loading will tell
    assert find_fault(gone) == (gone['img_path'], 'no such file')
    np.save(tmp_path / 'a.npy', np.zeros(3))
    for path in ('s3://rooms/a.png', str(tmp_path / 'a.npy')):
        info = {'img_path': path, 'seg_map_path': None}
        assert quick_fault(info) is None
        assert find_fault(info) is None
