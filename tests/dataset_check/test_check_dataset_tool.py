"""The tool's exit status, and what it prints."""

import pytest
from own_folder import image_path, truncate, write_config, write_own_data
from tool_process import one_line_error, start


def test_status_says_whether_the_data_set_is_sound(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    done = start('check_dataset.py', 'mine.py', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'no faults, no warnings' in done.stdout
    truncate(image_path(root, 'train', 2))
    words = ('--html', 'out/page.html', '--json', 'out/check.json')
    done = start('check_dataset.py', 'mine.py', *words, cwd=tmp_path)
    assert done.returncode == 1
    assert 'train2.png' in done.stdout
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'check.json',
        'page.html',
    ]


@pytest.mark.parametrize(('words', 'status'), [((), 0), (('--strict',), 1)])
def test_a_warning_is_bearable_unless_strict(words, status, tmp_path):
    write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    more = ('--cfg-options', 'own_data.classes=floor,wall,door,roof', *words)
    done = start('check_dataset.py', 'mine.py', *more, cwd=tmp_path)
    assert 'class never seen' in done.stdout
    assert done.returncode == status


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (('nothing.py',), 'there is no config'),
        (('mine.py', '--workers', '-1'), '--workers is -1'),
        (('mine.py', '--html', 'mine.py/page.html'), 'cannot write'),
        (('mine.py', '--data-root', 'elsewhere'), "no folder 'elsewhere"),
    ],
)
def test_errors_are_one_sentence(words, message, tmp_path):
    write_own_data(tmp_path / 'rooms')
    write_config(tmp_path / 'mine.py', 'rooms')
    error = one_line_error(start('check_dataset.py', *words, cwd=tmp_path))
    assert message in error
