"""Names of classes in the files that tools leave beside the data."""

import pytest

from sctnet.datasets.convert.class_names import find_names
from sctnet.errors import DataError

RED, BLACK = [255, 0, 0], [0, 0, 0]
FILES = {  # name of the file: content, classes, palette
    'classes.txt': ('sky\n\nroad\n', ('sky', 'road'), None),
    'labels.txt': ('__ignore__\n_background_\ncat\n', ('background', 'cat'), None),
    'classes.json': ('["sky", "road"]', ('sky', 'road'), None),
    'data.yaml': ('names:\n  0: sky\n  1: road\nnc: 2\n', ('sky', 'road'), None),
    '_classes.csv': (
        'Pixel Value, Class\n0, background\n2, road\n',
        ('background', 'class 1', 'road'),
        None,
    ),
    'labelmap.txt': (
        '# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad:255,0,0::\n',
        ('background', 'road'),
        [BLACK, RED],
    ),
    'label_colors.txt': (
        '0 0 0\tVoid\n255 0 0\tRoad Marking\n',
        ('Void', 'Road Marking'),
        [BLACK, RED],
    ),
    'class_dict.csv': (
        'name, r, g, b\nVoid, 0, 0, 0\n"Road, wet",255,0,0\n',
        ('Void', 'Road, wet'),
        [BLACK, RED],
    ),
    'dataset_meta.json': (
        '{"label_map": {"0": "background", "1": "road"},'
        '"segmentation_colors": [[0,0,0],[255,0,0]]}',
        ('background', 'road'),
        [BLACK, RED],
    ),
    'dataset.json': (
        '{"classes": ["a", "b"], "palette": [[0,0,0],[255,0,0]]}',
        ('a', 'b'),
        [BLACK, RED],
    ),
}


@pytest.mark.parametrize(
    ('text', 'classes'),
    [
        ('1: road\n0: sky\n', ('sky', 'road')),
        ('0 sky\n2 road, wet\n', ('sky', 'class 1', 'road, wet')),
        ('sky, road\n', ('sky', 'road')),
        ('sky\n2 doors\n', ('sky', '2 doors')),
        ('90 degrees\n45 degrees\n', ('90 degrees', '45 degrees')),
        ('0 to 9\n10 to 99\n', ('0 to 9', '10 to 99')),
        ('1st\n2nd\n', ('1st', '2nd')),
    ],
)
def test_lines_may_be_numbered(tmp_path, text, classes):
    (tmp_path / 'classes.txt').write_text(text)
    assert find_names(tmp_path).classes == classes


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('below', ['', 'train'])
def test_each_tools_file_is_read(tmp_path, name, below):
    text, classes, palette = FILES[name]
    (tmp_path / below).mkdir(exist_ok=True)
    (tmp_path / below / name).write_text(text)
    found = find_names(tmp_path)
    assert (found.classes, found.palette) == (classes, palette)
    assert found.file.name == name


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('classes.txt', 'a\na\n'),
        ('classes.json', '{"a": '),
        ('classes.json', '[{"colour": 3}]'),
        ('data.yaml', 'names: [a\n'),
        ('_classes.csv', 'nothing\n'),
        ('classes.json', '{"road": 1, "street": 1}'),
        ('labelmap.txt', 'a:1,2,3::\nb:1,2,3::\n'),
        ('labelmap.txt', 'a:1,2,300::\nb:1,2,3::\n'),
    ],
)
def test_one_that_says_nothing_is_told(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=name):
        find_names(tmp_path)


def test_there_may_be_none(tmp_path):
    (tmp_path / 'dataset.json').write_text('{"version": 1, "count": 3}')
    assert find_names(tmp_path) is None


def test_parts_that_name_other_classes_are_refused(tmp_path):
    for part, text in (('train', '1,rect\n2,disc\n'), ('valid', '1,disc\n2,rect\n')):
        (tmp_path / part).mkdir()
        (tmp_path / part / '_classes.csv').write_text(text)
    with pytest.raises(DataError, match='name other classes, or in another order'):
        find_names(tmp_path)
