"""Images are judged as the config loads them: bits, bands, range, orientation."""

import cv2
import numpy as np
import pytest
from own_folder import image_path, label_path, write, write_config, write_own_data
from PIL import Image

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.datasets.check.loaded_image import difference_hash, flat_spread


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path / 'rooms')


def config(root):
    return load_config(write_config(root.parent / 'mine.py', root))


def kinds(cfg):
    return {fault.kind for fault in check_config(cfg).faults}


def change(root, function, number=1):
    path = image_path(root, 'train', number)
    write(path, function(cv2.imread(str(path))))


@pytest.mark.parametrize(
    ('function', 'detail'),
    [
        (lambda image: image.astype(np.uint16) * 257, None),
        (lambda image: image.astype(np.uint16) << 8, None),
        (lambda image: image.astype(np.uint16) * 256 + 3, 'drops the lower 8 bits'),
        (lambda image: np.dstack([image, np.full((80, 96), 255, np.uint8)]), None),
        (lambda image: np.dstack([image, image[..., 0]]), 'drops alpha'),
        (lambda image: image[..., 0], None),
    ],
)
def test_what_a_picture_loses_is_said_where_there_is_anything(root, function, detail):
    change(root, function)
    faults = check_config(config(root)).faults
    assert [fault.kind for fault in faults] == ['bits or bands lost'] * bool(detail)
    assert not detail or faults[0].detail.endswith(detail)


def test_a_loader_that_is_not_known_is_not_judged(root):
    change(root, lambda image: image // 20)
    change(root, lambda image: np.dstack([image, image[..., 0]]), number=2)
    cfg = config(root)
    assert kinds(cfg) == {'flat image', 'bits or bands lost'}
    cfg.train_dataloader.dataset.pipeline[0]['color_type'] = 'unchanged'
    assert not kinds(cfg)


def test_images_that_are_all_dark_are_one_fault_and_a_few_are_warnings(root):
    for number in range(2):
        change(root, lambda image: image // 20, number)
    details = [fault.detail for fault in check_config(config(root)).faults]
    assert details == ['values lie within 12'] * 2
    change(root, lambda image: image // 20, 2)
    faults = check_config(config(root)).faults
    assert [(fault.kind, fault.path, fault.detail) for fault in faults] == [
        ('nearly black images', '3 images', 'uint8 whose values end at 12')
    ]


def test_empty_pictures_are_no_repetition_of_each_other(root):
    for part in ('train', 'val'):
        write(image_path(root, part, 0), np.zeros((80, 96, 3), np.uint8))
    assert kinds(config(root)) == {'flat image'}


@pytest.mark.parametrize(
    ('tag', 'labels', 'kind'),
    [
        (1, (80, 96), None),
        (3, (80, 96), 'perhaps turned'),
        (6, (96, 80), None),  # drawn on the turned picture
        (6, (80, 96), 'turned image'),
        (8, (40, 48), 'size mismatch'),
        (6, (80, 80), 'perhaps turned'),
    ],
)
def test_a_tag_is_named_where_the_labels_may_not_follow_it(root, tag, labels, kind):
    path = image_path(root, 'train', 1)
    image = Image.open(path).crop((0, 0, 80 if labels == (80, 80) else 96, 80))
    exif = Image.Exif()
    exif[0x0112] = tag
    image.save(path, exif=exif)
    write(label_path(root, 'train', 1), np.zeros(labels, np.uint8))
    assert kinds(config(root)) == ({kind} if kind else set())


def noise(seed=0, size=(60, 80, 3)):
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def test_flatness_is_of_the_widest_band_and_in_units_of_the_config():
    image = np.zeros((50, 50, 3), np.uint8)
    image[..., 1] = 200
    assert flat_spread(image, 57) == 0
    image[3, 3, 1] = 215  # between the rows of the sample
    assert flat_spread(image, 57) == 15
    assert flat_spread(image, 5) is None
    image[3, 3, 1] = 216
    assert flat_spread(image, 57) is None
    assert flat_spread(noise(), 57) is None


def bits_between(first, second):
    return sum((a ^ b).bit_count() for a, b in zip(first, second, strict=True))


def test_hashes_of_a_picture_that_is_changed_a_little_are_near():
    image = cv2.resize(noise(size=(6, 8, 3)), (320, 240), interpolation=cv2.INTER_CUBIC)
    known = difference_hash(image, 57)
    jpeg = cv2.imdecode(cv2.imencode('.jpg', image, [1, 40])[1], 1)
    dark = (image * 0.7).astype(np.uint8)
    for other in (jpeg, dark, cv2.resize(image, (200, 150)), np.roll(image, 2, 1)):
        assert bits_between(known, difference_hash(other, 57)) <= 8
    for other in (image[::-1], image[:, ::-1], noise(1)):
        assert bits_between(known, difference_hash(other, 57)) > 30


def test_pictures_with_little_in_them_have_no_hash():
    sky = np.repeat(np.arange(240, dtype=np.uint8)[:, None, None], 80, 1)
    assert not difference_hash(np.repeat(sky, 3, 2), 57)
    assert not difference_hash(noise() // 16 + 100, 57)
    assert difference_hash(noise() // 16 + 100, 2)
