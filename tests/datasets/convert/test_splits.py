"""Names of files, and how they are shared out."""

from collections import Counter
from pathlib import Path

import pytest

from sctnet.datasets.convert.annotated_images import ImageFile, Item
from sctnet.datasets.convert.names import make_unique, output_name
from sctnet.datasets.convert.sharing import Splitting, assign_splits
from sctnet.datasets.convert.splits import (
    is_doubtful,
    part_in,
    part_of,
    split_by_folder,
)
from sctnet.errors import ArgumentError, DataError


def shared_out(items, val=0.1, **options):
    """The items with their splits; nothing may be left out."""
    skipped, said = Counter(), []
    found = assign_splits(items, Splitting(val, **options), skipped, said)
    assert not skipped
    return found


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


def test_the_part_depends_on_the_names_alone():
    names = [f'{number:04}' for number in range(1000)]
    whole = {item.name: item.split for item in shared_out(items(names), test=0.2)}
    again = shared_out(items(names[::-1]), test=0.2)
    assert all(whole[item.name] == item.split for item in again)
    # Of this machine's run or another's: the hash is not Python's own.
    assert [name for name in names[:40] if whole[name] == 'val'] == VAL
    # With a tenth more of them an image moves only near the edge of a part.
    more = shared_out(items([*names, *(f'{n}' for n in range(2000, 2100))]), test=0.2)
    assert sum(whole.get(item.name, item.split) != item.split for item in more) < 30


# printf 0004 | sha256sum: among the lowest hundred of the thousand
VAL = ['0004', '0008', '0010', '0014', '0025', '0033']


@pytest.mark.parametrize(
    ('count', 'val', 'test', 'parts'),
    [
        (4, 0.25, 0, (3, 1, 0)),
        (5, 0.3, 0, (3, 2, 0)),
        (1000, 0.2, 0.3, (500, 200, 300)),
        (2, 0.001, 0, (1, 1, 0)),
        (2, 0.999, 0, (1, 1, 0)),
        (3, 0.001, 0.001, (1, 1, 1)),
        (4, 0.8, 0.1, (1, 2, 1)),
        (2, 0.3, 0.3, (1, 1, 0)),
        (1, 0.5, 0, (1, 0, 0)),
    ],
)
def test_a_part_gets_its_share_and_one_image_at_least(count, val, test, parts):
    names = map(str, range(count))
    found = Counter(item.split for item in shared_out(items(names), val, test=test))
    assert tuple(found[part] for part in ('train', 'val', 'test')) == parts


def test_no_share_is_no_validation_and_a_given_part_stays():
    assert {i.split for i in shared_out(items('abcdef'), 0)} == {'train'}
    given = items('abcdef', 'val')
    assert shared_out(given) == given
    for share in (1, -0.1, float('nan')):
        with pytest.raises(ArgumentError, match='expected 0 to below 1'):
            Splitting(share)
        with pytest.raises(ArgumentError, match='--test is'):
            Splitting(test=share)
    with pytest.raises(ArgumentError, match='leave nothing to train on'):
        Splitting(0.5, 0.5)
    with pytest.raises(ArgumentError, match='no regular expression'):
        Splitting(group='(')


def test_a_source_without_validation_gives_some_of_its_training():
    given = items([f'{n:03}' for n in range(100)], 'train') + items('ab', 'test')
    split = Counter(item.split for item in shared_out(given, 0.2))
    assert split == {'train': 80, 'val': 20, 'test': 2}


def test_groups_stay_together_and_parts_get_their_share_of_groups():
    names = [f'video{n // 10}_{n:03}' for n in range(300)]
    found = shared_out(items(names), 0.2, test=0.1, group=r'^video\d+')
    parts = {}
    for item in found:
        parts.setdefault(item.name.partition('_')[0], set()).add(item.split)
    assert all(len(one) == 1 for one in parts.values())
    counts = Counter(item.split for item in found)
    assert counts == {'train': 210, 'val': 60, 'test': 30}


def test_lists_say_which_part_an_image_is_of(tmp_path):
    (tmp_path / 'train.txt').write_text('images/a.jpg labels/a.png\nb\n')
    (tmp_path / 'valid.txt').write_text('c.png\n')
    skipped = Counter()
    splitting = Splitting(lists=tmp_path)
    found = assign_splits(items(['images/a', 'b', 'x/c', 'd']), splitting, skipped, [])
    assert [(i.name, i.split) for i in found] == [
        ('images/a', 'train'),
        ('b', 'train'),
        ('x/c', 'val'),
    ]
    assert skipped == {'images that no list names': 1}
    (tmp_path / 'test.txt').write_text('images/d.jpg\nnowhere.jpg\n')
    skipped.clear()
    found = assign_splits(items(['images/a', 'b', 'x/c', 'd']), splitting, skipped, [])
    assert found[-1].split == 'test'
    assert skipped == {"names in lists that are no image, such as 'nowhere'": 1}
    (tmp_path / 'test.txt').write_text('room 0.jpg\na.1\na.2\n')
    found = assign_splits(items(['room 0', 'a.1']), splitting, skipped, [])
    assert [item.name for item in found] == ['room 0', 'a.1']
    listed = tmp_path / 'split.json'
    listed.write_text('{"train": ["a"], "test": ["a"]}')
    with pytest.raises(DataError, match="'a' is in the lists of train and of test"):
        assign_splits(items('a'), Splitting(lists=listed), skipped, [])
    for text in ('{"tren": ["a"]}', '{"train": "a"}', '{}'):
        listed.write_text(text)
        with pytest.raises(DataError, match='list'):
            assign_splits(items('a'), Splitting(lists=listed), skipped, [])


def test_names_that_differ_in_suffix_or_part_stay_apart():
    pair = [
        Item('a', None, ImageFile(Path('a.jpg')), None),
        Item('a', None, ImageFile(Path('a.PNG')), None),
        Item('a', 'val', ImageFile(Path('a.png')), None),
    ]
    said = []
    assert [item.name for item in make_unique(pair, said)] == ['a_jpg', 'a_png', 'a']
    assert said == ["told apart: 2 images of one name, such as 'a_jpg'"]
    more = Item('a_jpg', None, ImageFile(Path('a_jpg.gif')), None)
    elsewhere = Item('a', 'train', ImageFile(Path('b/a.jpg')), None)
    mixed = make_unique([*pair, more, elsewhere], said)
    assert [i.name for i in mixed] == ['a_jpg_2', 'a_png', 'a', 'a_jpg', 'a']
    # What has no part yet is written beside those for training.
    mixed = make_unique([*pair, more, elsewhere], said, beside='train')
    assert [i.name for i in mixed] == ['a_jpg_2', 'a_png', 'a', 'a_jpg', 'a_jpg_3']
    with pytest.raises(DataError, match='is there twice'):
        make_unique([*pair, pair[0]], said)


@pytest.mark.parametrize(
    ('folders', 'parts'),
    [
        (('training set', 'dev'), ('train', 'val')),
        (('train_images', 'Val-Images', 'test2017'), ('train', 'val', 'test')),
        (('trainset', 'valset'), ('train', 'val')),
        (('train', 'valid', 'test'), ('train', 'val', 'test')),  # Roboflow
        (('Train', 'Validation'), ('train', 'val')),
        (('training', 'testing'), ('train', 'test')),
        (('images/train', 'images/val'), ('train', 'val')),
        (('first', 'second'), (None, None)),
    ],
)
def test_folders_of_usual_names_are_parts(tmp_path, folders, parts):
    skipped = Counter()
    files = [tmp_path / folder / 'x/a.jpg' for folder in folders]
    split = split_by_folder(tmp_path, files, skipped)
    assert tuple(part for _, part, _ in split) == parts
    if parts[0]:
        assert {name.removeprefix('images/') for *_, name in split} == {'x/a'}
    assert not skipped


def test_what_lies_beside_the_parts_is_counted(tmp_path):
    skipped = Counter()
    files = [tmp_path / 'train/x/a.jpg', tmp_path / 'b.jpg', tmp_path / 'train.jpg']
    split = split_by_folder(tmp_path, files, skipped)
    assert [entry[1:] for entry in split] == [('train', 'x/a')]
    assert skipped == {'files beside the folders of the parts': 2}
    split_by_folder(tmp_path, [files[0], tmp_path / 'eval/a.jpg'], skipped)
    assert skipped["files beside the folders of the parts, in 'eval'"] == 1


@pytest.mark.parametrize('name', ['holdout', 'Eval', 'test_a', 'trainval', 'valid2'])
def test_a_folder_that_looks_like_a_part_is_said(name):
    assert part_of(name) is None
    assert is_doubtful(name)
    skipped, said = Counter(), []
    given = items([f'{name}/a', 'rest/b'])
    found = assign_splits(given, Splitting(0.5), skipped, said)
    assert {item.split for item in found} == {'train', 'val'}
    (line,) = said
    assert line.startswith(f"the folder '{name}' looks like a part")


@pytest.mark.parametrize('name', ['valley', 'street', 'trainline', 'train', 'x'])
def test_other_folders_are_not_taken_for_parts(name):
    assert not is_doubtful(name)


def test_the_last_word_for_a_part_in_a_path_counts():
    assert part_in(Path('train/instances_val2017.json')) == 'val'
    assert part_in(Path('Validation/result.xml')) == 'val'
    assert part_in(Path('trainer/result.train')) is None


def test_options_that_do_nothing_are_said(tmp_path):
    given = items('ab', 'train') + items('cd', 'val')
    skipped, said = Counter(), []
    options = Splitting(0.2, group='^.', stratify=True)
    assert assign_splits(given, options, skipped, said) == given
    assert said == [
        'not used, as the data have parts of their own (2 train, 2 val): --val, '
        '--group, --stratify; --lists shares out anew'
    ]
    # A test part that is asked for is taken from what is trained on.
    said.clear()
    found = assign_splits(given, Splitting(test=0.5), skipped, said)
    assert Counter(i.split for i in found) == {'train': 1, 'test': 1, 'val': 2}
    assert not said
    more = [*given, *items('e')]
    assign_splits(more, Splitting(), skipped, said)
    assert said == [
        "shared out, as they are in none of the parts: 1 images, such as 'e'"
    ]
    said.clear()
    lists = tmp_path / 'lists.json'
    lists.write_text('{"train": ["a", "b"], "val": ["c", "d"]}')
    options = Splitting(0.1, stratify=True, lists=lists)
    assign_splits(given, options, skipped, said)
    assert said == ['not used, as there are lists: --val, --stratify']
    assert not skipped


def test_groups_that_are_none_are_refused():
    given = items([f'clip{n // 9}_{n}' for n in range(27)])
    for pattern, words in (
        ('video', 'is in none of the 27 names: names are such as .clip0_0'),
        ('^clip', 'makes 1 groups, and there are 2 parts'),
    ):
        with pytest.raises(ArgumentError, match=words):
            shared_out(given, group=pattern)
    skipped, said = Counter(), []
    assign_splits(given, Splitting(group='clip[01]_'), skipped, said)
    assert said[0].startswith('on their own, as --group is not in their names: 9 ')
