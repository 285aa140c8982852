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


def test_alpha_is_left_out_and_data_in_its_place_is_a_band(tmp_path):
    write(tmp_path / 'a.png', with_alpha(0))
    write(tmp_path / 'b.png', grey(50, 3))
    found = measure(tmp_path)
    assert (found.kind, found.mean) == ((3, 'uint8'), [75] * 3)
    assert 'left out: the alpha band of 1 of 2 images' in found.describe()[1]
    write(tmp_path / 'a.png', with_alpha(np.arange(80)))
    assert measure(tmp_path).kind == (3, 'uint8')
    image = with_alpha(0)
    image[..., 3] = np.arange(80)
    write(tmp_path / 'a.png', image)
    with pytest.raises(DataError, match='are of several kinds'):
        measure(tmp_path)
    (tmp_path / 'b.png').unlink()
    assert measure(tmp_path).kind == (4, 'uint8')
    assert measure(tmp_path).alpha == 0


def test_values_are_told(tmp_path):
    image = grey(1000, 4, np.uint16)
    image[..., 3] = np.linspace(4, 4012, 80)
    write(tmp_path / 'a.png', image)
    (said,) = measure(tmp_path).describe()
    assert said.startswith('values: 4 bands of 16 bits, values end at 4012: 12 bits')
    assert 'mean 1000, 1000, 1000, 1' in said


def test_bits_are_kept_and_a_broken_file_is_left_to_the_check(tmp_path):
    write(tmp_path / 'a.png', grey(1000, dtype=np.uint16))
    (tmp_path / 'b.png').write_bytes(b'broken')
    found = measure(tmp_path)
    assert (found.kind, found.largest, found.mean) == ((1, 'uint16'), 1000, [1000])
    (tmp_path / 'a.png').unlink()
    with pytest.raises(DataError, match='has no image that can be read'):
        measure(tmp_path)
