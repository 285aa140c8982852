"""Bands of any depth: as they are read, and as they are changed at random."""

import cv2
import numpy as np
import pytest
from mmseg.datasets.transforms import PhotoMetricDistortion
from mmseg.registry import TRANSFORMS

from sctnet.datasets.bands import check_bands, read_picture
from sctnet.datasets.transforms import LoadBands, PhotometricDistortion
from sctnet.errors import ConfigError, ImageError


def noise(bands, kind=np.uint8, size=(70, 66)):
    rng = np.random.default_rng(0)
    high = 1.0 if kind == np.float32 else np.iinfo(kind).max + 1
    values = rng.random((*size, bands)) * high
    return values.astype(kind)


def distort(transform, image, seed):
    np.random.seed(seed)
    result = transform({'img': image.copy()})['img']
    return result, np.random.get_state()[1:3]


def test_on_pictures_it_is_mmsegs_draw_for_draw():
    options = {'brightness_delta': 20, 'hue_delta': 9, 'contrast_range': (0.7, 1.2)}
    for arguments in ({}, options):
        ours = PhotometricDistortion(**arguments)
        theirs = PhotoMetricDistortion(**arguments)
        for seed in range(60):
            (found, after), (expected, state) = (
                distort(one, noise(3), seed) for one in (ours, theirs)
            )
            assert found.dtype == np.uint8
            assert np.array_equal(found, expected)
            assert np.array_equal(after[0], state[0])
            assert after[1] == state[1]


@pytest.mark.parametrize(
    ('image', 'options', 'largest'),
    [
        (noise(4), {}, 255),
        (noise(1)[..., 0], {}, 255),
        (noise(3, np.uint16), {}, 65535),
        (noise(4, np.uint16), {}, 65535),
        (noise(6, np.uint16) // 16, {'max_value': 4095}, 4095),
        (noise(3, np.float32), {'max_value': 1.0}, 1.0),
    ],
)
def test_others_change_by_their_range(image, options, largest):
    transform = PhotometricDistortion(**options)
    seen = set()
    for seed in range(40):
        result, _ = distort(transform, image, seed)
        assert (result.dtype, result.shape) == (image.dtype, image.shape)
        assert result.min() >= 0
        assert result.max() <= largest
        np.random.seed(seed)
        expected = image.astype(np.float64)
        brighter = np.random.randint(2)
        if brighter:
            delta = 32 * largest / 255
            expected = np.clip(expected + np.random.uniform(-delta, delta), 0, largest)
        stronger = np.random.randint(2)
        if stronger:
            expected = np.clip(expected * np.random.uniform(0.5, 1.5), 0, largest)
        seen.add((brighter, stronger))
        # Integers are cut off after each step, as mmseg does.
        off = 2.6 if image.dtype.kind == 'u' else 1e-6
        assert np.abs(result - expected).max() <= off
    assert len(seen) == 4


@pytest.mark.parametrize(
    ('make', 'said'),
    [
        (lambda: PhotometricDistortion(max_value=0), 'max_value is 0'),
        (lambda: PhotometricDistortion()({'img': noise(3, np.float32)}), 'max_value'),
        (lambda: LoadBands(bands=()), 'bands is'),
        (lambda: LoadBands(bands=(0, -1)), 'bands is'),
    ],
)
def test_what_cannot_be_is_said(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


def test_bands_are_taken_in_the_order_that_is_named(tmp_path):
    image, path = noise(4, np.uint16), str(tmp_path / 'a.png')
    cv2.imwrite(path, image[..., [2, 1, 0, 3]])
    found = LoadBands(bands=[3, 0])({'img_path': path})
    assert np.array_equal(found['img'], image[..., [3, 0]])
    assert found['img_shape'] == found['ori_shape'] == (70, 66)
    with pytest.raises(ImageError, match='has 4 bands and LoadBands takes number 4'):
        LoadBands(bands=[0, 4])({'img_path': path})


def test_a_picture_of_other_data_shows_its_whole_range(tmp_path):
    image = noise(4, np.uint16) // 16
    image[0, 0] = 65535  # a bright point
    cv2.imwrite(str(tmp_path / 'a.png'), image[..., [2, 1, 0, 3]])
    shown = read_picture(tmp_path / 'a.png')
    assert (shown.min(), shown.max()) == (0, 255)
    assert shown[1:].max() == 255
    found, stored = shown[1:, :, 2].ravel(), image[1:, :, 0].ravel()
    assert np.corrcoef(found, stored)[0, 1] > 0.99


def test_arrays_of_bands_are_looked_at():
    assert check_bands(noise(1)[..., 0]).shape == (70, 66, 1)
    with pytest.raises(ImageError, match='dtype int64'):
        check_bands(noise(4).astype(np.int64))
    with pytest.raises(ImageError, match='at least 64x64'):
        check_bands(noise(4, size=(63, 70)))


def test_they_are_registered():
    import sctnet.register  # noqa: F401

    for kind in (LoadBands, PhotometricDistortion):
        assert TRANSFORMS.get(kind.__name__) is kind
