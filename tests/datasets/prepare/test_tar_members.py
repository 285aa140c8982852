"""Tar archives, compressed and not: cut off, damaged, malicious."""

import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from archive_sources import write_tar
from conversion_sources import made

from sctnet.datasets.prepare.archives import Archive, Job
from sctnet.errors import DataError, OutputError

MEMBERS = {f'x/{number}.bin': bytes([number]) * 3000 for number in range(9)}
MODES = {'a.tar': 'w', 'a.tgz': 'w:gz', 'a.TAR.GZ': 'w:gz', 'decompressed.tgz': 'w'}


@pytest.mark.parametrize('name', MODES)
def test_members_are_read_in_any_order_by_several_threads(tmp_path, name):
    archive = Archive(write_tar(tmp_path / name, MEMBERS, MODES[name]))
    assert archive.sizes == dict.fromkeys(MEMBERS, 3000)
    assert archive.head_of('8.bin') == 'x/'
    names = [*reversed(MEMBERS)] * 20
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(archive.read, names)] == [MEMBERS[name] for name in names]
    Job(archive, 'x/3.bin', tmp_path / 'out/3').run()
    assert (tmp_path / 'out/3').read_bytes() == MEMBERS['x/3.bin']
    assert made(tmp_path / 'out') == ['3']


@pytest.mark.parametrize('name', ['a.tar', 'a.tgz'])
def test_one_that_is_cut_off_anywhere_is_said_so(tmp_path, name):
    path = write_tar(tmp_path / name, MEMBERS, MODES[name])
    whole = path.read_bytes()
    # A member takes 3584 bytes, of which its head takes 512.
    lengths = (0, 100, 3584 * 2, 3584 * 2 + 99, 3584 * 2 + 512, len(whole) // 2)
    for length in lengths if name == 'a.tar' else (0, 5, 40, len(whole) - 9):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r'is truncated or no tar archive .*: do'):
            Archive(path)
    with pytest.raises(DataError, match=r"none\.tar' cannot be read"):
        Archive(tmp_path / 'none.tar')


def test_a_damaged_compressed_archive_is_said_so(tmp_path):
    path = write_tar(tmp_path / 'a.tgz', MEMBERS, 'w:gz')
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(DataError, match='is truncated or no tar archive'):
        Archive(path)


@pytest.mark.parametrize('kind', [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_what_is_no_plain_file_is_refused(tmp_path, kind):
    path = write_tar(tmp_path / 'a.tar', MEMBERS)
    with tarfile.open(path, 'a') as opened:
        info = tarfile.TarInfo('x/link')
        info.type, info.linkname = kind, '/etc/passwd'
        opened.addfile(info)
    with pytest.raises(DataError, match='a link: expected plain files'):
        Archive(path)


def test_a_member_that_leads_outside_is_refused(tmp_path):
    with pytest.raises(DataError, match='leads out of its folder'):
        Archive(write_tar(tmp_path / 'a.tar', {'../evil': b''}))


def test_folders_and_what_macos_adds_are_no_files(tmp_path):
    path = write_tar(tmp_path / 'a.tar', {'x/._a.bin': b'', 'x/a.bin': b''})
    with tarfile.open(path, 'a') as opened:
        info = tarfile.TarInfo('y')
        info.type = tarfile.DIRTYPE
        opened.addfile(info)
    assert Archive(path).sizes == {'x/a.bin': 0}


def test_no_room_to_decompress_names_the_folder_and_the_remedy(tmp_path, monkeypatch):
    path = write_tar(tmp_path / 'a.tgz', MEMBERS, 'w:gz')
    with open('/dev/full', 'wb', 0) as full:
        monkeypatch.setattr(tempfile, 'TemporaryFile', lambda: full)
        with pytest.raises(OutputError, match=r'^.*a\.tgz. does not fit.*TMPDIR$'):
            Archive(path)
