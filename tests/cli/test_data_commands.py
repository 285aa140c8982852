"""``sctnet convert``, ``check`` and ``scenes``: what they print, and their status."""

import json

import cv2
import numpy as np
import pytest
from own_folder import image_path, label_path, truncate, write_config, write_own_data
from tool_process import call, one_line_error


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'source'
    folder.mkdir()
    corners = [[4, 4], [90, 4], [90, 70], [4, 70]]
    for name in ('a', 'b', 'bare', 'bad'):
        cv2.imwrite(str(folder / f'{name}.jpg'), np.full((80, 96, 3), 90, np.uint8))
        shapes = [
            {'label': 'wall', 'shape_type': 'polygon', 'points': corners},
            {'label': 'wall', 'shape_type': 'point', 'points': [[1, 1]]},
        ]
        shapes = [] if name == 'bare' else shapes
        size = {'imageHeight': 80, 'imageWidth': 96, 'imagePath': f'{name}.jpg'}
        text = json.dumps({'shapes': shapes, **size})
        (folder / f'{name}.json').write_text(text[: 9 if name == 'bad' else None])
    return folder


def test_broken_files_are_named_at_status_one(source, tmp_path):
    done = call('convert', 'labelme', source, 'out', cwd=tmp_path)
    assert done.returncode == 1
    assert 'all background: 1 image without annotation, such as ' in done.stdout
    assert 'skipped: 2 shapes of kind point\n' in done.stdout
    assert '2 training and 1 validation images are in' in done.stdout
    assert '  sctnet new out\n' in done.stdout
    assert 'Converting' in done.stdout  # the bar, at its end
    assert '100%' in done.stdout
    (told,) = (line for line in done.stderr.splitlines() if 'broken: ' in line)
    assert "bad.json' is no JSON, or is cut off" in told
    assert 'Traceback' not in done.stderr
    assert len([p for p in (tmp_path / 'out').rglob('*') if p.is_file()]) == 7
    done = call('convert', 'labelme', source, 'out', cwd=tmp_path)
    assert 'is not empty: name a new folder' in one_line_error(done)


def test_status_says_whether_the_data_set_is_sound(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    done = call('check', 'mine.py', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'no faults, no warnings' in done.stdout
    cv2.imwrite(str(label_path(root, 'val', 1)), np.full((80, 96), 255, np.uint8))
    for words, status in (((), 0), (('--strict',), 1)):
        done = call('check', 'mine.py', *words, cwd=tmp_path)
        assert 'empty label map: 1' in done.stdout
        assert done.returncode == status
    truncate(image_path(root, 'train', 2))
    words = ('--html', 'out/page.html', '--json', 'out/check.json')
    done = call('check', 'mine.py', *words, cwd=tmp_path)
    assert done.returncode == 1
    assert 'train2.png' in done.stdout
    written = sorted(p.name for p in (tmp_path / 'out').iterdir())
    assert written == ['check.json', 'page.html']
    prefix = 'img_path=images/train', 'seg_map_path=labels/train'
    words = (f'test_dataloader.dataset.data_prefix.{one}' for one in prefix)
    done = call('check', 'mine.py', '--cfg-options', *words, cwd=tmp_path)
    assert 'in two parts' in done.stdout  # the test part is read, too


def test_an_error_of_the_check_is_one_sentence(tmp_path):
    write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    for words, message in (
        (('--html', 'mine.py/page.html'), 'cannot write'),
        (('--data-root', 'elsewhere'), "no folder 'elsewhere"),
    ):
        error = one_line_error(call('check', 'mine.py', *words, cwd=tmp_path))
        assert message in error


def test_scenes_say_how_to_use_them(tmp_path):
    few = ('--train', '1', '--val', '1')
    done = call('scenes', 'my scenes', *few, '--size', '128x64', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--data-root 'my scenes'" in done.stdout
    done = call('scenes', 'new', '--size', '128', cwd=tmp_path)
    assert done.returncode == 2
    assert 'is not WIDTHxHEIGHT' in done.stderr
