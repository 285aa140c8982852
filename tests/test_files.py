import os
import stat

import pytest

from sctnet.errors import OutputError
from sctnet.files import atomic_folder, atomic_path, find_files, write_bytes


def test_writes_into_new_folders_and_replaces(tmp_path):
    target = tmp_path / 'a' / 'b.bin'
    write_bytes(target, b'one')
    write_bytes(target, b'two')
    assert target.read_bytes() == b'two'
    assert os.listdir(target.parent) == ['b.bin']
    (tmp_path / 'other').write_bytes(b'as anybody writes')
    assert target.stat().st_mode == (tmp_path / 'other').stat().st_mode


def test_a_pipe_a_device_or_a_folder_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'folder').mkdir()
    before = sorted(os.listdir(tmp_path))
    for name in before:
        with pytest.raises(OutputError, match=f"{name}' is there and is no file"):
            write_bytes(tmp_path / name, b'x')
    assert stat.S_ISFIFO(os.stat(tmp_path / 'pipe').st_mode)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / 'far').mkdir()
    (tmp_path / 'far' / 'a.bin').write_bytes(b'one')
    (tmp_path / 'link.bin').symlink_to(tmp_path / 'far' / 'a.bin')
    write_bytes(tmp_path / 'link.bin', b'two')
    assert (tmp_path / 'link.bin').is_symlink()
    assert (tmp_path / 'far' / 'a.bin').read_bytes() == b'two'
    assert os.listdir(tmp_path / 'far') == ['a.bin']


def stop_in_the_middle(target):
    with atomic_path(target) as temporary:
        temporary.write_bytes(b'half')
        raise RuntimeError('stopped')


def test_failure_leaves_the_old_file_and_no_litter(tmp_path):
    target = tmp_path / 'a.bin'
    write_bytes(target, b'old')
    with pytest.raises(RuntimeError, match='stopped'):
        stop_in_the_middle(target)
    assert target.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['a.bin']


def fill(target, stop=False, meanwhile=None):
    with atomic_folder(target) as new:
        (new / 'x').write_text('x')
        assert not (target / 'x').exists()
        if meanwhile:
            write_bytes(meanwhile, b'mine')
        if stop:
            raise RuntimeError('stopped')


def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    (tmp_path / 'real').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'real')
    for name in ('a/new', 'link'):  # a new one, an empty one
        target = tmp_path / name
        with pytest.raises(RuntimeError, match='stopped'):
            fill(target, stop=True)
        assert made(tmp_path) == []
        fill(target)
        assert os.listdir(target) == ['x']
        assert made(tmp_path) == [target.resolve() / 'x']
        with pytest.raises(OutputError, match='is not empty'), atomic_folder(target):
            raise AssertionError
        (target / 'x').unlink()
    monkeypatch.chdir(tmp_path / 'real')
    with pytest.raises(OutputError, match='cannot be replaced'), atomic_folder('.'):
        raise AssertionError


def made(folder):
    return [path for path in folder.rglob('*') if path.is_file()]


def test_what_was_written_meanwhile_is_not_lost(tmp_path):
    target = tmp_path / 'new'
    with pytest.raises(OutputError, match='cannot write'):
        fill(target, meanwhile=target / 'mine')
    assert made(tmp_path) == [target / 'mine']


def test_unwritable_place_is_one_sentence(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match=r"cannot write '.*a\.bin' \(.*choose"):
        write_bytes(tmp_path / 'file' / 'a.bin', b'')


def test_full_disk_keeps_the_old_file(tmp_path):
    target = tmp_path / 'a.bin'
    write_bytes(target, b'old')
    with pytest.raises(OutputError, match='space'), atomic_path(target):
        raise OSError(28, 'No space left on device')
    assert target.read_bytes() == b'old'


def test_files_are_found_in_folders_and_links_but_hidden_ones_are_not(tmp_path):
    for name in ('b.JPG', 'x/a.png', '.h.png', '.x/a.png', 'c.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('')
    (tmp_path / 'link').symlink_to(tmp_path / 'x')
    found = find_files(tmp_path, ('.jpg', '.png'))
    assert found == [tmp_path / name for name in ('b.JPG', 'link/a.png', 'x/a.png')]


def test_links_that_lead_back_multiply_no_file(tmp_path):
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        (tmp_path / name / f'{name}.jpg').write_bytes(b'')
    (tmp_path / 'a/up').symlink_to(tmp_path)
    (tmp_path / 'a/to_b').symlink_to(tmp_path / 'b')
    (tmp_path / 'b/to_a').symlink_to(tmp_path / 'a')
    found = [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path, '')]
    assert found == ['a/a.jpg', 'a/to_b/b.jpg', 'b/b.jpg', 'b/to_a/a.jpg']
    (tmp_path / 'c/d').mkdir(parents=True)
    (tmp_path / 'c/c.jpg').write_bytes(b'')
    (tmp_path / 'c/d/up').symlink_to(tmp_path / 'c')
    assert find_files(tmp_path / 'c/d', '') == []  # nor to what lies above the folder
