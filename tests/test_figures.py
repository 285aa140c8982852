import json

import cv2
import numpy as np
import pytest

from sctnet.errors import DataError
from sctnet.figures import draw_comparison, draw_curves, read_scalars

PALETTE = [[255, 0, 0], [0, 0, 255]]


def write_log(work_dir, run, lines):
    folder = work_dir / run / 'vis_data'
    folder.mkdir(parents=True)
    text = '\n'.join(json.dumps(line) for line in lines)
    (folder / 'scalars.json').write_text(text)


def test_scalars_of_a_resumed_training_are_one_curve(tmp_path):
    write_log(tmp_path, '1', [{'loss': 3.0, 'step': 1}, {'loss': 2.0, 'step': 2}])
    write_log(tmp_path, '2', [{'loss': 1.5, 'step': 2}, {'mIoU': 9.0, 'step': 3}])
    (tmp_path / '3' / 'vis_data').mkdir(parents=True)
    (tmp_path / '3' / 'vis_data' / 'scalars.json').write_text('{"loss": 1.0, "st')
    scalars = read_scalars(tmp_path)
    assert scalars['loss'] == [(1, 3.0), (2, 1.5)]
    assert scalars['mIoU'] == [(3, 9.0)]


def test_curves_are_drawn_for_teacher_and_student(tmp_path):
    entry = {'decode.loss_ce': 2.0, 'siam.loss_bfa_stage3': 1.0, 'step': 1}
    write_log(tmp_path / 'a', '1', [entry, {**entry, 'step': 2, 'mIoU': 3.0}])
    write_log(tmp_path / 'b', '1', [{'decode.loss_ce': 2.0, 'step': 1}])
    path = tmp_path / 'out' / 'curves.png'
    draw_curves({'student': tmp_path / 'a', 'teacher': tmp_path / 'b'}, path)
    picture = cv2.imread(str(path))
    assert picture.shape[1] > 2 * picture.shape[0]
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_folder_without_a_log_is_an_error(tmp_path):
    with pytest.raises(DataError, match='holds no log of a training'):
        draw_curves({'x': tmp_path}, tmp_path / 'curves.png')


def test_comparison_shows_image_and_label_maps_in_their_colours(tmp_path):
    image = np.full((20, 30, 3), 77, np.uint8)
    ones, mixed = np.ones((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    mixed[:, 15:] = 255
    path = tmp_path / 'comparison.png'
    draw_comparison(image, {'truth': ones, 'student': mixed}, PALETTE, path)
    picture = cv2.imread(str(path))
    assert picture.shape == (2 * 44, 60, 3)
    panels = picture[24:44, :30], picture[24:44, 30:], picture[68:, :30]
    assert (panels[0] == 77).all()
    assert (panels[1] == (255, 0, 0)).all()  # BGR of blue
    assert (panels[2][:, :15] == (0, 0, 255)).all()
    assert (panels[2][:, 15:] == 0).all()


def test_lines_that_are_no_figures_are_passed_over(tmp_path):
    log = tmp_path / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    lines = ['3', '[]', '{"step": [1], "a": 1}', '{"step": {}, "a": 1}', '{"step"']
    lines += [f'{{"step": 1, "a": {"9" * 400}}}', '{"step": 2, "a": 5}', '\xff']
    log.write_bytes('\n'.join(lines).encode('latin-1'))
    assert read_scalars(tmp_path)['a'] == [(2, 5)]


def test_a_folder_whose_name_is_too_long_is_none(tmp_path):
    with pytest.raises(DataError, match='holds no log'):
        read_scalars('x' * 5000)
