"""``RandomResizeCrop`` against mmseg's ``RandomResize`` and ``RandomCrop``."""

import copy

import cv2
import numpy as np
import pytest
from mmcv.transforms import RandomResize
from mmseg.datasets.transforms import RandomCrop

import sctnet.datasets.transforms.resize_part as parts
from sctnet.datasets.transforms import RandomResizeCrop
from sctnet.datasets.transforms.resize_part import resize_labels_part, resize_part


def sample(size, bands=3, dtype=np.uint8, classes=5, seed=0):
    """Noise, the hardest image; labels in blocks, some of which are one class."""
    draw = np.random.default_rng(seed)
    shape = size if bands is None else (*size, bands)
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    image = (draw.random(shape) * top).astype(dtype)
    blocks = draw.integers(0, classes, (5, 6)).astype(np.uint8)
    blocks[blocks == 4] = 255
    labels = cv2.resize(blocks, size[::-1], interpolation=cv2.INTER_NEAREST)
    return {'img': image, 'gt_seg_map': labels, 'seg_fields': ['gt_seg_map']}


def both(results, seed, crop, cat_max_ratio=0.75, **resize):
    theirs, ours = copy.deepcopy(results), copy.deepcopy(results)
    np.random.seed(seed)
    theirs = RandomResize(**resize)(theirs)
    theirs = RandomCrop(crop, cat_max_ratio=cat_max_ratio)(theirs)
    after = np.random.random()
    np.random.seed(seed)
    ours = RandomResizeCrop(crop_size=crop, cat_max_ratio=cat_max_ratio, **resize)(ours)
    assert np.random.random() == after  # as many numbers were drawn
    return theirs, ours


def assert_same(theirs, ours, error=None):
    assert theirs.keys() == ours.keys()
    for key, value in theirs.items():
        if key == 'img':
            assert ours[key].dtype == value.dtype
            assert ours[key].shape == value.shape
            error = error or np.iinfo(value.dtype).max / 255
            difference = ours[key].astype(float) - value
            assert np.abs(difference).max() <= error
        elif isinstance(value, np.ndarray):
            assert np.array_equal(ours[key], value)
        else:
            assert ours[key] == value, key


@pytest.mark.parametrize('whole', [True, False])
@pytest.mark.parametrize('seed', range(12))
def test_crop_is_mmsegs(seed, whole, monkeypatch):
    if not whole:  # the kernel does it also where OpenCV would be quicker
        monkeypatch.setattr(parts, '_WORTH_IT', 0)
    results = sample((60, 110), seed=seed)
    resize = {'scale': (110, 60), 'ratio_range': (0.25, 2.0), 'keep_ratio': True}
    theirs, ours = both(results, seed, (32, 48), **resize)
    assert_same(theirs, ours)
    if whole and ours['scale'][0] < 70:
        assert np.array_equal(ours['img'], theirs['img'])


@pytest.mark.parametrize('bands', [None, 1, 3, 4, 7])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.float32, np.int16])
def test_any_bands_and_types(bands, dtype):
    results = sample((37, 61), bands, dtype)
    resize = {'scale': (137, 143), 'ratio_range': (0.9, 1.9)}
    for seed in range(3):
        theirs, ours = both(results, seed, (17, 23), **resize)
        assert_same(theirs, ours, 1e-5 if dtype == np.float32 else None)


@pytest.mark.parametrize('resize', [
    {'scale': (90, 40), 'ratio_range': (2.0, 2.0), 'keep_ratio': True},
    {'scale': (60, 60), 'ratio_range': (1.0, 1.0), 'keep_ratio': False},
    {'scale': [(40, 50), (160, 170)], 'keep_ratio': False},
])  # fmt: skip
@pytest.mark.parametrize('cat_max_ratio', [1.0, 0.6, 0.0])
def test_any_setting(resize, cat_max_ratio):
    for seed in range(4):
        results = sample((45, 90), seed=seed)
        assert_same(*both(results, seed, 24, cat_max_ratio, **resize))


def test_image_smaller_than_the_crop_is_kept_whole():
    resize = {'scale': (50, 40), 'ratio_range': (0.5, 0.9), 'keep_ratio': True}
    theirs, ours = both(sample((40, 50)), 0, (64, 64), **resize)
    assert_same(theirs, ours)
    assert ours['img_shape'] == ours['gt_seg_map'].shape != (64, 64)


def test_a_part_is_read_where_the_whole_is_not(monkeypatch):
    read = []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            read.append(key)
            return super().__getitem__(key)

    image = sample((100, 100))['img'].view(Watched)
    part = resize_part(image, (200, 200), (100, 132, 20, 52))
    rows, columns = read[0]
    assert (rows.stop - rows.start) <= 18
    assert (columns.stop - columns.start) <= 18
    expected = cv2.resize(np.asarray(image), (200, 200))[100:132, 20:52]
    assert np.abs(part.astype(int) - expected).max() <= 1


@pytest.mark.parametrize('length', [1, 2, 7, 64, 101])
def test_nearest_labels_are_opencvs_at_every_size(length):
    labels = np.random.default_rng(0).integers(0, 250, (length, 9)).astype(np.uint8)
    for size in range(1, 220):
        whole = cv2.resize(labels, (5, size), interpolation=cv2.INTER_NEAREST)
        assert np.array_equal(
            resize_labels_part(labels, (5, size), (0, size, 0, 5)), whole
        )


def test_other_labels_than_bytes_choose_the_same_crop():
    for seed in range(4):
        results = sample((45, 90), seed=seed)
        resize = {'scale': (90, 45), 'ratio_range': (1.0, 2.0), 'keep_ratio': True}
        theirs, _ = both(results, seed, 24, **resize)
        results['gt_seg_map'] = results['gt_seg_map'].astype(np.int16)
        np.random.seed(seed)
        ours = RandomResizeCrop(crop_size=24, cat_max_ratio=0.75, **resize)(results)
        assert np.array_equal(ours['gt_seg_map'], theirs['gt_seg_map'])
