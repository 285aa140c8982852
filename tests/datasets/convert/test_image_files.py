"""The image that an annotation names is found, and no other's is taken for it."""

from collections import Counter

import pytest

from sctnet.datasets.convert.image_files import ImageFinder, without_host


@pytest.fixture
def folder(tmp_path):
    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b'')
        return tmp_path

    return make


@pytest.mark.parametrize(
    ('file', 'name', 'guessed'),
    [
        ('cam1/a.jpg', 'cam1/a.jpg', False),
        ('cam 1/a b.jpg', 'cam%201/a%20b.jpg', False),
        ('deep/down/a.jpg', 'upload/a.jpg', True),
        ('A.JPG', 'a.jpg', True),
        ('cam1/a.jpg', 'cam1\\a.jpg', False),
        ('deep/a.jpg', 'D:\\photos\\a.jpg', True),
        ('room.jpg', '/data/upload/1/ab12cd34-room.jpg', True),
        ('tu\u0308r.jpg', 't\u00fcr.jpg', True),
    ],
)
def test_it_is_found_however_it_is_written(folder, file, name, guessed):
    root = folder(file)
    # A folder inside the other lists the same file once more.
    finder = ImageFinder([root, root / 'deep'], [name])
    notes = Counter()
    assert finder.find(name, notes) == root / file
    assert notes.total() == guessed


def test_an_address_is_a_path_on_its_host():
    assert without_host('https://x.org/cam/a%20b.jpg?v=2#top') == 'cam/a%20b.jpg'
    assert without_host('C:\\cam\\a.jpg') == 'C:\\cam\\a.jpg'


def test_anothers_image_and_one_of_several_are_not_taken(folder):
    root = folder('cam2/0.jpg', 'x/1.jpg', 'y/1.jpg')
    finder = ImageFinder(
        [root, root / 'nowhere'], ['cam1/0.jpg', 'cam2/0.jpg', '1.jpg']
    )
    for name in ('cam1/0.jpg', '1.jpg'):
        notes = Counter()
        file = finder.find(name, notes)
        several = 'images not where they are named, of a name that several files have'
        assert (file, notes) == (root / name, {several: 1} if name == '1.jpg' else {})
        assert not file.exists()
