import cv2
import numpy as np

from sctnet.evaluation.comparison import draw_comparison


def test_comparison_shows_image_and_label_maps_in_their_colours(tmp_path):
    image = np.full((20, 30, 3), 77, np.uint8)
    ones, mixed = np.ones((20, 30), np.uint8), np.zeros((20, 30), np.uint8)
    mixed[:, 15:] = 255
    path = tmp_path / 'comparison.png'
    maps = {'truth': ones, 'student': mixed}
    colours = [[255, 0, 0], [0, 0, 255], [0, 255, 0]]
    draw_comparison(image, maps, colours, path, ('wall', 'door', 'unseen'))
    picture = cv2.imread(str(path))
    legend, picture = picture[-48:], picture[:-48]
    assert (legend[4:20, 6:22] == (0, 0, 255)).all()
    assert (legend[28:44, 6:22] == (255, 0, 0)).all()
    assert picture.shape == (2 * 44, 60, 3)
    panels = picture[24:44, :30], picture[24:44, 30:], picture[68:, :30]
    assert (panels[0] == 77).all()
    assert (panels[1] == (255, 0, 0)).all()  # BGR of blue
    assert (panels[2][:, :15] == (0, 0, 255)).all()
    assert (panels[2][:, 15:] == 0).all()
