"""What the pre-training loads, beside mmpretrain's own transforms."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from pretraining_support import smooth, write_jpeg
from sctnet_pretraining import loading
from sctnet_pretraining.loading import LoadImage, LoadRandomCrop, reduction

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
    seen, decode = [], loading.decode_image
    monkeypatch.setattr(
        loading, 'decode_image', lambda *x: seen.append(x[-1]) or decode(*x)
    )
    return seen


@pytest.mark.parametrize('seed', range(2))
def test_full_decoding_gives_mmpretrains_crops_exactly(tmp_path, seed):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(150, 211))
    expected = mmpretrains_crop(path, (64, 48), seed)
    np.testing.assert_array_equal(crop(path, (64, 48), seed, reduce=False), expected)
    assert expected.shape == (64, 48, 3)


@pytest.mark.parametrize('seed', range(3))
def test_reduced_decoding_gives_the_same_crop_of_fewer_pixels(tmp_path, flags, seed):
    path = write_jpeg(tmp_path / 'a.jpg', smooth(901, 1203))
    expected = mmpretrains_crop(path, 64, seed).astype(int)
    difference = np.abs(crop(path, 64, seed) - expected)
    assert difference.mean() < 4  # of 255: edges are at most half a pixel off
    assert flags[0] in (cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8)
    crop(write_jpeg(tmp_path / 'small.jpg', smooth(100, 120)), 64, seed)
    assert flags[1] == cv2.IMREAD_COLOR


def test_never_fewer_pixels_than_wanted():
    pixels = [10, 127, 128, 255, 256, 9999]
    assert [reduction(count, 64) for count in pixels] == [1, 1, 2, 2, 4, 8]


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
    'load', [LoadImage(short_edge=72), LoadRandomCrop(scale=64)], ids=['val', 'train']
)
def test_broken_file_is_named_in_one_sentence(tmp_path, load):
    path = tmp_path / 'broken.jpg'
    whole = write_jpeg(path, smooth(300, 400)).read_bytes()
    for content in (b'', b'not a picture', whole[: len(whole) // 2]):
        path.write_bytes(content)
        words = 'is truncated or not an image' if content else 'is empty'
        with pytest.raises(ImageError, match=rf"^image '\S*broken.jpg' {words}.*$"):
            load({'img_path': str(path)})
    path.unlink()
    with pytest.raises(ImageError, match=r"image '\S*broken.jpg' cannot be read"):
        load({'img_path': str(path)})
