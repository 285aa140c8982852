"""Names of files, and how they are shared out."""

from collections import Counter
from pathlib import Path

import pytest

from sctnet.datasets.convert.annotated_images import ImageFile, Item
from sctnet.datasets.convert.names import make_unique, output_name
from sctnet.datasets.convert.splits import assign_splits, split_by_folder
from sctnet.errors import ArgumentError, DataError


def items(names, split=None):
    return [Item(name, split, ImageFile(Path(f'{name}.jpg')), None) for name in names]


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('a.jpg', 'a'),
        ('a/b.c.jpg', 'a/b.c'),
        ('../../a.jpg', 'a'),
        ('/etc/a.jpg', 'etc/a'),
        ('C:\\photos\\a.jpg', 'photos/a'),
        ('a/./../b.png', 'a/b'),
        ('.hidden/.a.jpg', 'hidden/a'),
        ('12:30.jpg', '12:30'),
        ('noext', 'noext'),
    ],
)
def test_a_name_keeps_folders_and_leads_nowhere_else(path, name):
    assert output_name(path) == name


@pytest.mark.parametrize('path', ['', '..', '/', './.', '\ud800.jpg'])
def test_a_path_without_a_name_is_refused(path):
    with pytest.raises(DataError, match='is no name of an image'):
        output_name(path)


def test_the_part_depends_on_the_name_alone():
    names = [f'{number:04}' for number in range(2000)]
    whole = {item.name: item.split for item in assign_splits(items(names), 0.1)}
    assert 150 < Counter(whole.values())['val'] < 250
    half = assign_splits(items(names[::-2]), 0.1)
    assert all(whole[item.name] == item.split for item in half)
    # Of this machine's run or another's: the hash is not Python's own.
    assert [name for name in names[:40] if whole[name] == 'val'] == VAL


# printf 0004 | sha256sum: below 0.1 * 256 = 0x19.99
VAL = ['0004', '0008', '0010', '0013', '0014', '0025', '0033']


@pytest.mark.parametrize('share', [0.001, 0.5, 0.999])
def test_two_images_are_one_for_each_part(share):
    split = {item.split for item in assign_splits(items(['a', 'b']), share)}
    assert split == {'train', 'val'}


def test_no_share_is_no_validation_and_a_given_part_stays():
    assert {i.split for i in assign_splits(items('abcdef'), 0)} == {'train'}
    given = items('abcdef', 'val')
    assert assign_splits(given, 0.1) == given
    for share in (1, -0.1, float('nan')):
        with pytest.raises(ArgumentError, match='expected 0 to below 1'):
            assign_splits(given, share)


def test_names_that_differ_in_suffix_or_part_stay_apart():
    pair = [
        Item('a', None, ImageFile(Path('a.jpg')), None),
        Item('a', None, ImageFile(Path('a.PNG')), None),
        Item('a', 'val', ImageFile(Path('a.png')), None),
    ]
    assert [item.name for item in make_unique(pair)] == ['a_jpg', 'a_png', 'a']
    with pytest.raises(DataError, match='would both become'):
        make_unique([*pair, Item('a_jpg', None, ImageFile(Path('a_jpg.gif')), None)])


def test_folders_are_parts_only_where_both_are_there(tmp_path):
    (tmp_path / 'train').mkdir()
    skipped = Counter()
    files = [tmp_path / 'train/x/a.jpg', tmp_path / 'b.jpg', tmp_path / 'train.jpg']
    split = split_by_folder(tmp_path, files, skipped)
    assert [entry[1:] for entry in split] == [
        (None, 'train/x/a'),
        (None, 'b'),
        (None, 'train'),
    ]
    (tmp_path / 'val').mkdir()
    split = split_by_folder(tmp_path, files, skipped)
    assert [entry[1:] for entry in split] == [('train', 'x/a')]
    assert skipped.total() == 2
