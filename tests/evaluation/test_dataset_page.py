"""The page of a check, and its pictures: what is wrong is magenta, and only that."""

import cv2
import numpy as np
import pytest
from own_folder import image_path, label_path, write, write_config, write_own_data
from page_reader import Page
from PIL import Image

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.evaluation.dataset_page import write_dataset_page
from sctnet.evaluation.dataset_pictures import (
    draw_overlays,
    draw_pair,
    draw_samples,
)


def checked(root, **more):
    return check_config(load_config(write_config(root.parent / 'c.py', root, **more)))


def picture(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_page_holds_faults_classes_and_sizes(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    labels = np.zeros((80, 96), np.uint8)
    labels[:40] = 1
    labels[0, 0] = 77
    write(label_path(root, 'train', 2), labels)
    Image.new('LA', (96, 80)).save(label_path(root, 'train', 3))
    result = checked(root, classes=('floor', '<b>$_{', '[/]', 'lamp'))
    write_dataset_page(result, 'Data set of <rooms>', tmp_path / 'page.html')
    page = Page(tmp_path / 'page.html')
    assert 'Data set of <rooms>' in page.text
    assert '3 faults, 1 warning' in page.text
    assert page.row('labels outside', '1', 'fault')
    assert page.row('class never seen', '1', 'warning')
    assert page.row('class without a pixel', '1', 'fault')
    path = str(label_path(root, 'train', 2))
    assert page.row('labels outside', 'train')[2] == path
    assert [address.partition(';')[0] for address, _ in page.pictures] == (
        ['data:image/jpeg'] * (2 + 5)  # faulty pairs, overlays of the six
    )
    shares = page.row('1', '<b>$_{')
    pixels = result.shares['train'].pixels
    assert shares[2:4] == [f'{100 * pixels[1] / pixels.sum():.2f}', '3']
    assert page.row('3', 'lamp')[2:] == ['0.00', '0', '0.00', '0']
    assert page.widths[page.rows.index(page.row('3', 'lamp'))] == [0, 0]
    assert page.row('val', '96 x 80') == ['val', '96 x 80', '2']


def test_a_name_that_is_no_unicode_is_written_all_the_same(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    image_path(root, 'train', 1).rename(root / 'images/train/\udcff.png')
    label_path(root, 'train', 1).rename(root / 'labels/train/\udcff.jpg')
    write_dataset_page(checked(root), 'rooms', tmp_path / 'page.html')
    assert (
        '\\udcff.png'
        in Page(tmp_path / 'page.html').row('missing label map', 'train')[2]
    )


def test_outside_labels_are_magenta_and_samples_are_pictures(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    labels = np.zeros((80, 96), np.uint8)
    labels[40:] = 200
    write(label_path(root, 'train', 1), labels)
    write(label_path(root, 'train', 2), np.zeros((8, 9), np.uint8))
    write(label_path(root, 'train', 3), np.zeros((80, 96, 3), np.uint8))
    result = checked(root)
    part = result.parts[0]
    drawn = draw_pair(part, part.pairs[1])
    height = 400  # of 80 rows at a width of 480
    below = drawn[height + 4 :]
    assert (below[300] == (255, 0, 255)).all()
    assert not (below[100] == (255, 0, 255)).all(axis=-1).any()
    samples = list(draw_samples(result))
    assert len(samples) == 3
    for data, caption in samples:
        assert cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape[1] == 480
        assert 'train' in caption


def test_a_label_map_in_colours_keeps_them(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    write(label_path(root, 'train', 1), np.full((80, 96, 3), (0, 0, 255), np.uint8))
    part = checked(root).parts[0]
    assert (draw_pair(part, part.pairs[1])[404:] == (0, 0, 255)).all()


def test_samples_are_of_all_kinds_in_turn_up_to_a_limit(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=5)
    for number in range(4):
        write(label_path(root, 'train', number), np.full((80, 96), 77, np.uint8))
    write(label_path(root, 'val', 0), np.full((80, 96), 255, np.uint8))
    kinds = [text.split(':')[0] for _, text in draw_samples(checked(root), most=4)]
    outside = 'labels outside'
    assert kinds == [outside, 'empty label map', outside, outside]


def test_overlays_show_image_and_labels(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=1, val=1)
    for part, value in (('train', 0), ('val', 200)):
        write(image_path(root, part, 0), np.full((80, 96, 3), value, np.uint8))
        write(label_path(root, part, 0), np.full((80, 96), 1, np.uint8))
    result = checked(root)
    colour = np.array(result.parts[0].palette[1][::-1])
    (dark, _), (bright, caption) = draw_overlays(result)
    assert caption == 'val: val0.png'
    np.testing.assert_allclose(picture(dark)[9, 9], 0.6 * colour, atol=3)
    np.testing.assert_allclose(picture(bright)[9, 9], 0.6 * colour + 80, atol=3)


@pytest.mark.parametrize('size', [(96, 4000), (1, 3000), (4000, 2)])
def test_pictures_of_extreme_shapes_are_drawn_small(tmp_path, size):
    root = write_own_data(tmp_path / 'rooms')
    write(label_path(root, 'train', 1), np.zeros(size[::-1], np.uint8))
    result = checked(root)
    drawn = draw_pair(result.parts[0], result.parts[0].pairs[1])
    assert drawn.shape[1] == 480
    assert drawn.shape[0] <= 400 + 4 + 960
