import numpy as np
import pytest

from sctnet.datasets.overlay import draw_overlay
from sctnet.errors import ArgumentError


def slow_and_exact(image, label_map, palette, opacity):
    colours = np.asarray(palette, np.uint8)[:, ::-1]  # the image is BGR
    known = (label_map >= 0) & (label_map < len(colours))
    blended = image.astype(float)
    blended[known] = (1 - opacity) * image[known] + opacity * colours[label_map[known]]
    return blended


@pytest.mark.parametrize('opacity', [0, 0.3, 1])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16, np.int64])
@pytest.mark.parametrize('classes', [1, 19, 256, 300])
def test_overlay_is_exact_to_rounding(classes, dtype, opacity):
    rng = np.random.default_rng(classes)
    image = rng.integers(0, 256, (20, 30, 3), np.uint8)
    palette = rng.integers(0, 256, (classes, 3))
    labels = rng.integers(0, 256 if dtype is np.uint8 else 600, (20, 30)).astype(dtype)
    if dtype is np.int64:
        labels[0, 0] = -1
    blended = draw_overlay(image, labels, palette, opacity)
    assert blended.dtype == np.uint8
    exact = slow_and_exact(image, labels, palette, opacity)
    assert abs(blended - exact).max() <= 0.501
    unknown = (labels < 0) | (labels >= classes)
    np.testing.assert_array_equal(blended[unknown], image[unknown])


@pytest.mark.parametrize('opacity', [-1, 5])
def test_opacity_out_of_range(opacity):
    with pytest.raises(ArgumentError, match='expected 0 to 1'):
        draw_overlay(
            np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1)), [[0] * 3], opacity
        )
