"""Images are measured as a training reads them."""

import numpy as np
import pytest
from exports import write

from sctnet.datasets.new.measure import measure
from sctnet.errors import DataError

SIZE = (64, 80)


def grey(value, bands=1, dtype=np.uint8):
    return np.full((*SIZE, bands), value, dtype)


def with_alpha(alpha):
    image = grey(100, 4)
    image[:10, :, 3] = alpha
    image[10:, :, 3] = 255
    return image


def test_pictures_of_8_bits_are_of_three_colours(tmp_path):
    for name, image in (
        ('colour', grey(50, 3)), ('grey', grey(150)), ('opaque', with_alpha(255)),
    ):  # fmt: skip
        write(tmp_path / f'{name}.png', image)
    found = measure(tmp_path)
    assert found.kind == (3, 'uint8')
    assert found.mean == pytest.approx([100] * 3)
    assert found.std == pytest.approx([np.std([50, 150, 100])] * 3)
    assert found.short_side == 64


def test_what_is_partly_transparent_has_a_band_of_its_own(tmp_path):
    write(tmp_path / 'a.png', with_alpha(7))
    assert measure(tmp_path).kind == (4, 'uint8')
    write(tmp_path / 'b.png', grey(50, 3))
    with pytest.raises(DataError, match='are of several kinds'):
        measure(tmp_path)


def test_bits_are_kept_and_a_broken_file_is_left_to_the_check(tmp_path):
    write(tmp_path / 'a.png', grey(1000, dtype=np.uint16))
    (tmp_path / 'b.png').write_bytes(b'broken')
    found = measure(tmp_path)
    assert (found.kind, found.largest, found.mean) == ((1, 'uint16'), 1000, [1000])
    (tmp_path / 'a.png').unlink()
    with pytest.raises(DataError, match='has no image that can be read'):
        measure(tmp_path)
