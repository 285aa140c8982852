import os
import stat

import pytest

from sctnet.errors import OutputError
from sctnet.files import atomic_path, write_bytes


def test_writes_into_new_folders_and_replaces(tmp_path):
    target = tmp_path / 'a' / 'b.bin'
    write_bytes(target, b'one')
    write_bytes(target, b'two')
    assert target.read_bytes() == b'two'
    assert os.listdir(target.parent) == ['b.bin']


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
