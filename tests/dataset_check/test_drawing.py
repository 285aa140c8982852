"""What is wrong in a label map is drawn in magenta, and only that."""

import cv2
import numpy as np
import pytest
from own_folder import label_path, write, write_config, write_own_data

from sctnet.catalog import load_config
from sctnet.dataset_check import check_config
from sctnet.dataset_check.drawing import draw_pair, draw_samples


def test_outside_labels_are_magenta_and_samples_are_pictures(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    labels = np.zeros((80, 96), np.uint8)
    labels[40:] = 200
    write(label_path(root, 'train', 1), labels)
    write(label_path(root, 'train', 2), np.zeros((8, 9), np.uint8))
    write(label_path(root, 'train', 3), np.zeros((80, 96, 3), np.uint8))
    result = check_config(load_config(write_config(tmp_path / 'c.py', root)))
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


@pytest.mark.parametrize('size', [(96, 4000), (1, 3000), (4000, 2)])
def test_pictures_of_extreme_shapes_are_drawn_small(tmp_path, size):
    root = write_own_data(tmp_path / 'rooms')
    write(label_path(root, 'train', 1), np.zeros(size[::-1], np.uint8))
    result = check_config(load_config(write_config(tmp_path / 'c.py', root)))
    drawn = draw_pair(result.parts[0], result.parts[0].pairs[1])
    assert drawn.shape[1] == 480
    assert drawn.shape[0] <= 400 + 4 + 960
