import cv2
import numpy as np

from sctnet.evaluation.heat_map import draw_heat_map


def test_right_is_blue_wrong_is_orange_and_the_rest_is_transparent():
    shares = np.full((100, 100), np.nan)
    np.fill_diagonal(shares, 1.0)
    picture = cv2.imdecode(np.frombuffer(draw_heat_map(shares), np.uint8), -1)
    assert (picture[0, 0] == 0).all() or picture[0, 0, 3] == 0
    solid = picture[picture[..., 3] == 255][:, :3].astype(int)
    blue, red = solid[:, 0] > solid[:, 2] + 50, solid[:, 2] > solid[:, 0] + 50
    assert blue.sum() > 1000
    assert not red.any()
    shares[20:60, 70:90] = 1.0
    picture = cv2.imdecode(np.frombuffer(draw_heat_map(shares), np.uint8), -1)
    red = picture[..., 2].astype(int) > picture[..., 0].astype(int) + 50
    rows, columns = np.nonzero(red & (picture[..., 3] == 255))
    assert len(rows) > 10 * blue.sum() / 2
    assert rows.mean() < picture.shape[0] / 2 < columns.mean()  # above the diagonal
