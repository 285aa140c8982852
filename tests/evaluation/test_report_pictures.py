import cv2
import numpy as np
import pytest

from sctnet.evaluation.confusion import SparseCounts
from sctnet.evaluation.report_metric import ImageResult
from sctnet.evaluation.report_pictures import (
    WRONG,
    draw_errors,
    draw_heat_map,
    draw_panels,
)

PALETTE = [[255, 0, 0], [0, 0, 255]]


def decode(data, mode=cv2.IMREAD_COLOR):
    return cv2.imdecode(np.frombuffer(data, np.uint8), mode)


def result(path, truth, prediction):
    none = SparseCounts.of(np.zeros((3, 3), int))
    maps = (cv2.imencode('.png', x)[1].tobytes() for x in (truth, prediction))
    return ImageResult(str(path), none, 50.0, 50.0, *maps)


@pytest.fixture
def maps():
    truth, prediction = np.zeros((2, 100, 200), np.uint8)
    truth[:20] = 2  # no label
    prediction[:, 100:] = 1
    return truth, prediction


def test_panels_show_image_labels_and_errors(tmp_path, maps):
    cv2.imwrite(str(tmp_path / 'x.png'), np.full((100, 200, 3), 200, np.uint8))
    panels = draw_panels(result(tmp_path / 'x.png', *maps), PALETTE)
    image, truth, prediction, errors = (decode(data) for data, _ in panels.pictures)
    assert abs(int(image[50, 50, 0]) - 200) < 4
    assert truth[10, 10].tolist() == [0, 0, 0]
    assert truth[50, 150].tolist() == [0, 0, 255]  # BGR of red
    assert prediction[50, 150].tolist() == [255, 0, 0]
    assert np.abs(errors[50, 150].astype(int) - WRONG).max() < 12
    assert panels.present == [0, 1]
    assert panels.wide


def test_only_labelled_pixels_can_be_wrong(maps):
    drawn = draw_errors(np.full((100, 200, 3), 100, np.uint8), *maps, classes=2)
    assert (drawn[:20] == 0).all()
    assert (drawn[20:, :100] == 140).all()
    assert (drawn[20:, 100:] == WRONG).all()


def test_large_images_shrink_and_one_that_is_gone_is_grey(tmp_path):
    tall = np.zeros((1500, 1000), np.uint8)
    panels = draw_panels(result(tmp_path / 'gone.png', tall, tall), PALETTE)
    pictures = [decode(data) for data, _ in panels.pictures]
    assert {picture.shape for picture in pictures} == {(640, 427, 3)}
    assert (pictures[0] == 128).all()
    assert not panels.wide


def test_heat_map_has_what_is_right_in_blue_and_what_is_wrong_in_orange():
    shares = np.full((100, 100), np.nan)
    np.fill_diagonal(shares, 1.0)
    shares[20:60, 70:90] = 1.0
    picture = decode(draw_heat_map(shares), cv2.IMREAD_UNCHANGED).astype(int)
    solid = picture[..., 3] == 255
    blue = solid & (picture[..., 0] > picture[..., 2] + 50)
    orange = solid & (picture[..., 2] > picture[..., 0] + 50)
    assert blue.sum() > 1000
    assert orange.sum() > 5 * blue.sum()
    rows, columns = np.nonzero(orange)
    assert rows.mean() < picture.shape[0] / 2 < columns.mean()  # above the diagonal
    assert picture[0, 0, 3] == 0  # for any background
