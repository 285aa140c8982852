"""The contract's own eyes: what counts as half-written, and what as a copy."""

import pytest
from written_files import hashes_of, leftovers


@pytest.fixture
def folders(tmp_path):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'out').mkdir()
    return tmp_path / 'in', tmp_path / 'out'


@pytest.mark.parametrize(
    ('given', 'written', 'told'),
    [
        ({'a.png': b'damaged'}, {'b.png': b'damaged'}, []),
        ({'a.png': b'damaged'}, {'b.png': b'dam'}, ['half-written b.png']),
        ({'a.txt': b'damaged'}, {'b.png': b'damaged'}, ['half-written b.png']),
        ({'a.png': b''}, {'b.png': b''}, ['half-written b.png']),
        ({}, {'b.txt': b''}, ['half-written b.txt (empty)']),
        ({}, {'b.json': b'{"a": 1}', 'c.txt': b'words'}, []),
        ({}, {'.b.png-x1': b''}, ['left .b.png-x1 behind']),
    ],
)
def test_only_whole_copies_may_be_damaged(folders, given, written, told):
    for folder, files in zip(folders, (given, written), strict=True):
        for name, content in files.items():
            (folder / name).write_bytes(content)
    found = list(leftovers(folders, hashes_of(folders[0])))
    assert [line[: len(start)] for line, start in zip(found, told, strict=True)] == told


def test_a_link_must_lead_somewhere(folders):
    given, out = folders
    (given / 'a.png').write_bytes(b'damaged')
    (out / 'a.png').symlink_to(given / 'a.png')
    assert not list(leftovers(folders, hashes_of(given)))
    (out / 'b.png').symlink_to(given / 'b.png')
    assert list(leftovers(folders, hashes_of(given))) == ['b.png links to nothing']
