"""Sharing out such that each class is in all parts."""

from collections import Counter

import cv2
import numpy as np
import pytest

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.stratify import stratify
from sctnet.errors import ArgumentError

SIZE = (64, 64)


@pytest.fixture
def source(tmp_path):
    """60 images of class 0, of which some hold a rare class or two."""
    for number in range(60):
        labels = np.zeros(SIZE, np.uint8)
        if number % 20 == 3:  # three of them
            labels[:9] = 1
        if number % 12 == 1:  # five
            labels[20:30] = 2
        name = f'clip{number // 5:02}_{number:02}'
        for kind, pixels in (('images', np.dstack([labels] * 3)), ('masks', labels)):
            path = tmp_path / f'in/{kind}/{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(path), pixels)
    return tmp_path / 'in'


def run(source, out='out', **options):
    given = {'classes': 'a,b,c', 'workers': 0, 'stratify': True, **options}
    return convert('masks', source, source.parent / out, **given)


def present(out):
    """How many images of each part have each class."""
    found = Counter()
    for path in out.glob('labels/*/*.png'):
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        found.update((path.parent.name, int(one)) for one in np.unique(labels))
    return found


def test_each_class_is_in_every_part(source):
    result = run(source, val=0.2, test=0.2)
    assert result.images == {'train': 36, 'val': 12, 'test': 12}
    found = present(result.root)
    for part, number in (('train', 1), ('val', 1), ('test', 1)):
        assert found[part, 1] == number
    assert [found[part, 2] for part in ('train', 'val', 'test')] == [3, 1, 1]
    # Each image lies beside its label map.
    for kind, other in (('images', 'labels'), ('labels', 'images')):
        files = sorted(result.root.glob(f'{kind}/*/*'))
        assert len(files) == 60
        for path in files:
            assert (
                result.root / other / path.relative_to(result.root / kind)
            ).is_file()
    assert {item.split for item in result.items} == {'train', 'val', 'test'}
    assert not result.said
    again = run(source, 'again', val=0.2, test=0.2, workers=2, link=True)
    assert [i.split for i in again.items] == [i.split for i in result.items]


def test_groups_stay_together(source):
    result = run(source, val=0.3, group='^clip[0-9]+')
    parts = {}
    for item in result.items:
        parts.setdefault(item.name.partition('_')[0], set()).add(item.split)
    assert all(len(one) == 1 for one in parts.values())
    found = present(result.root)
    assert all(found[part, label] for part in ('train', 'val') for label in (1, 2))
    with pytest.raises(ArgumentError, match='is in none of the 60 names'):
        run(source, 'none', group='video')


def test_parts_of_the_source_stay(source):
    names = sorted((source / 'images').iterdir())
    for kind in ('images', 'masks'):
        for part, chosen in (('train', names[:40]), ('test', names[40:])):
            (source / kind / part).mkdir()
            for path in chosen:
                old = source / kind / path.name
                old.rename(source / kind / part / path.name)
    result = run(source, val=0.25)
    assert result.images == {'train': 30, 'val': 10, 'test': 20}
    kept = {item.name for item in result.items if item.split == 'test'}
    assert kept == {path.stem for path in names[40:]}


def test_equal_names_are_told_apart_before_they_are_written(source):
    names = sorted((source / 'images').iterdir())
    for kind in ('images', 'masks'):
        for part, path in zip(('train', 'val'), names[:2], strict=True):
            (source / kind / part).mkdir()
            data = (source / kind / path.name).read_bytes()
            (source / kind / part / names[0].name).write_bytes(data)
    result = run(source)
    assert result.images.total() == 62
    assert len({(item.split, item.name) for item in result.items}) == 62


def test_a_class_of_too_few_images_is_said(source):
    file = next((source / 'masks').iterdir())
    labels = np.full(SIZE, 3, np.uint8)
    labels[:5] = 255  # is no class
    assert cv2.imwrite(str(file), labels)
    result = run(source, classes='a,b,c,rare')
    assert result.said == ['not in every part, for all --stratify: rare']


def test_few_groups_and_groups_of_nothing():
    assert stratify({}, {}, {'val': 0.1}) == {}
    one = {'a': Counter({0: 1})}
    assert stratify(one, {'a': 1}, {'val': 0.1}) == {'a': 'train'}
    names = 'abcdefghij'
    nothing = {name: Counter() for name in names}
    found = stratify(nothing, dict.fromkeys(names, 1), {'val': 0.3, 'test': 0.2})
    assert Counter(found.values()) == {'train': 5, 'val': 3, 'test': 2}
