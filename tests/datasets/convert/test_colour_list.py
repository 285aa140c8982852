"""A list of colours in JSON, and what is said of one that cannot be."""

import pytest

from sctnet.datasets.convert.formats.colours.colour_list import read_colour_list
from sctnet.errors import DataError


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('[[0, 0, 0]]', r"list\.json' holds a list: .* such as {\"road\": \[128"),
        ('{"box": "red"}', r"has 'box: red': expected .* such as {\"road\": \[128"),
        ('{}', r"list\.json' has no colour: .* {\"road\": \[128"),
    ],
)
def test_a_wrong_json_list_shows_how_one_looks(tmp_path, text, message):
    file = tmp_path / 'list.json'
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_colour_list(file)


def test_names_keep_their_order_whatever_the_form(tmp_path):
    (tmp_path / 'list.json').write_text('{"sky": [1, 2, 3], "box": [0, 0, 255]}')
    (tmp_path / 'list.txt').write_text('name,r,g,b\n# ours\nsky,1,2,3\n\nbox,0,0,255\n')
    expected = [('sky', (1, 2, 3)), ('box', (0, 0, 255))]
    assert read_colour_list(tmp_path / 'list.json') == expected
    assert read_colour_list(tmp_path / 'list.txt') == expected
