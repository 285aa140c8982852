"""``tools/convert_dataset.py`` as a user starts it: output and exit status."""

import pytest
from conversion_sources import LARGE, corners, labelme_json, made, picture
from tool_process import one_line_error, start


@pytest.fixture
def source(tmp_path):
    for name in 'ab':
        picture(tmp_path / f'source/{name}.jpg')
        shapes = [('wall', 'polygon', corners(LARGE)), ('wall', 'point', [[1, 1]])]
        labelme_json(tmp_path / f'source/{name}.json', shapes, f'{name}.jpg')
    return tmp_path / 'source'


def test_broken_files_are_named_at_status_one(source, tmp_path):
    (source / 'bad.json').write_text('{"shapes": [')
    picture(source / 'bare.jpg')
    labelme_json(source / 'bare.json', [], 'bare.jpg')
    done = start('convert_dataset.py', 'labelme', source, 'out', cwd=tmp_path)
    assert done.returncode == 1
    assert 'all background: 1 images without annotation, such as ' in done.stdout
    assert 'skipped: 2 shapes of kind point\n' in done.stdout
    assert '2 training and 1 validation images are in' in done.stdout
    assert "    classes=('background', 'wall')," in done.stdout
    (told,) = (line for line in done.stderr.splitlines() if 'broken: ' in line)
    assert "bad.json' is no JSON, or is cut off" in told
    assert 'Traceback' not in done.stderr
    assert len(made(tmp_path / 'out')) == 7


def test_a_folder_that_is_not_empty_is_status_two(source, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/mine.txt').write_text('mine')
    done = start('convert_dataset.py', 'labelme', source, 'out', cwd=tmp_path)
    assert 'is not empty: name a new folder' in one_line_error(done)
    assert made(tmp_path / 'out') == ['mine.txt']
