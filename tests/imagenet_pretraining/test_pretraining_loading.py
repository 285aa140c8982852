"""What the pre-training loads, beside mmpretrain's own transforms."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from pretraining_support import smooth, write_jpeg
from sctnet_pretraining import loading
from sctnet_pretraining.loading import LoadImage, LoadRandomCrop, Pack, reduction

from sctnet.errors import ImageError


def mmpretrains_crop(path, size, seed):
    from mmpretrain.datasets.transforms import RandomResizedCrop

    np.random.seed(seed)
    image = LoadImageFromFile()({'img_path': str(path)})
    return RandomResizedCrop(scale=size)(image)['img']


def crop(path, size, seed, **options):
    np.random.seed(seed)
    loaded = LoadRandomCrop(scale=size, **options)({'img_path': str(path)})
    assert loaded['img_shape'] == loaded['img'].shape[:2]
    return loaded['img']


@pytest.fixture
def flags(monkeypatch):
    """With which flags images are decoded."""
    seen = []

    def decode(data, name, flag):
        seen.append(flag)
        return decode_image(data, name, flag)

    decode_image = loading.decode_image
    monkeypatch.setattr(loading, 'decode_image', decode)
    return seen


@pytest.mark.parametrize('seed', range(4))
def test_full_decoding_gives_mmpretrains_crops_exactly(tmp_path, seed):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(150, 211))
    expected = mmpretrains_crop(path, (64, 48), seed)
    np.testing.assert_array_equal(crop(path, (64, 48), seed, reduce=False), expected)
    assert expected.shape == (64, 48, 3)


@pytest.mark.parametrize('seed', range(6))
def test_reduced_decoding_gives_the_same_crop_of_fewer_pixels(tmp_path, flags, seed):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(901, 1203))
    expected = mmpretrains_crop(path, 64, seed).astype(int)
    difference = np.abs(crop(path, 64, seed) - expected)
    assert difference.mean() < 4  # of 255: edges are at most half a pixel off
    assert flags[0] in (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)


def test_crop_that_is_small_already_is_decoded_in_full(tmp_path, flags):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(100, 120))
    crop(path, 64, 0)
    assert flags == [cv2.IMREAD_COLOR]


@pytest.mark.parametrize(
    ('pixels', 'factor'), [(10, 1), (127, 1), (128, 2), (255, 2), (256, 4), (9999, 8)]
)
def test_never_fewer_pixels_than_wanted(pixels, factor):
    assert reduction(pixels, 64) == factor


def test_image_to_validate_keeps_its_short_edge(tmp_path, flags):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(300, 800))
    loaded = LoadImage(short_edge=72)({'img_path': str(path)})
    assert loaded['img_shape'] == (75, 200)
    assert loaded['ori_shape'] == (300, 800)
    full = LoadImage(short_edge=72, reduce=False)({'img_path': str(path)})
    np.testing.assert_array_equal(
        full['img'], LoadImageFromFile()({'img_path': str(path)})['img']
    )
    assert flags == [cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_COLOR]


def test_turned_photo_is_cropped_as_it_is_seen(tmp_path):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    path = tmp_path / 'turned.jpg'
    Image.fromarray(smooth(400, 700)).save(path, exif=exif)
    assert loading.image_size(path.read_bytes()) == (700, 400)
    expected = mmpretrains_crop(path, 64, 1)
    np.testing.assert_array_equal(crop(path, 64, 1, reduce=False), expected)
    assert np.abs(crop(path, 64, 1) - expected.astype(int)).mean() < 2


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (None, 'cannot be read'),
        (b'', 'is empty'),
        (b'not a picture', 'is truncated or not an image'),
        ('half', 'is truncated or not an image'),
    ],
)
@pytest.mark.parametrize(
    'load', [LoadImage(short_edge=72), LoadRandomCrop(scale=64)], ids=['val', 'train']
)
def test_broken_file_is_named_in_one_sentence(tmp_path, content, words, load):
    path = tmp_path / 'broken.jpg'
    if content == 'half':
        data = write_jpeg(path, smooth(300, 400)).read_bytes()
        content = data[: len(data) // 2]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=rf"image '\S*broken.jpg' {words}") as caught:
        load({'img_path': str(path)})
    assert '\n' not in str(caught.value)


def test_packed_image_keeps_its_layout_and_carries_no_tensors():
    image = smooth(64, 64)[:, ::-1]  # what a flip leaves
    packed = Pack()({'img': image, 'gt_label': 2, 'img_path': 'a.jpg', 'flip': True})
    assert packed.keys() == {'images', 'labels', 'img_path'}
    np.testing.assert_array_equal(packed['images'], image)
    assert packed['images'].flags.c_contiguous
    assert (packed['labels'], packed['img_path']) == (2, 'a.jpg')
