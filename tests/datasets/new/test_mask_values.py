"""What values of index masks mean: what is asked, and that each answer works."""

import shlex

import cv2
import numpy as np
import pytest
from conversion_sources import LARGE, SMALL, expected, picture

from sctnet.catalog import load_config
from sctnet.cli import build_parser
from sctnet.datasets.new import new_project
from sctnet.datasets.new.mask_values import few, made_up
from sctnet.errors import ArgumentError, DataError

RINGS = expected((LARGE, 1), (SMALL, 2))


def project(tmp_path, change, names=''):
    """Images in one folder, masks in another, perhaps with classes.txt."""
    root = tmp_path / 'in'
    for number in range(4):
        picture(root / f'images/{number}.png', number)
        (root / 'masks').mkdir(exist_ok=True)
        assert cv2.imwrite(str(root / f'masks/{number}.png'), change(RINGS))
    if names:
        (root / 'classes.txt').write_text(names)
    return root


def labels_by(made):
    path = next(made.root.glob('labels/train/*.png'))
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def options_of(text):
    """What the command line would make of an option that a message names."""
    args = build_parser('new').parse_args(['data', *shlex.split(text)])
    return {
        name: value
        for name in ('mapping', 'classes')
        if (value := getattr(args, name)) is not None
    }


# How masks are written, names beside them, the option that is named, what it makes.
OPEN = {
    'gaps': (lambda m: m * 5, '', '--map 0:0,5:1,10:2', RINGS),
    'trimaps': (lambda m: m + 1, '', '--map 1:0,2:1,3:2', RINGS),
    'greys': (
        lambda m: np.array([0, 128, 255], np.uint8)[m],
        '',
        '--map=0:0,128:1,255:2',
        RINGS,
    ),
    '16 bits': (
        lambda m: np.where(m > 0, 65535, 0).astype(np.uint16),
        '',
        '--map=0:0,65535:1',
        RINGS > 0,
    ),
    'a background without a name': (
        lambda m: m,
        'box\nten discs\n',
        "--classes 'background,box,ten discs'",
        RINGS,
    ),
    'from 1': (lambda m: m + 1, 'floor\nbox\ndisc\n', '--map 1:0,2:1,3:2', RINGS),
}


@pytest.mark.parametrize('kind', OPEN)
def test_the_option_that_is_named_works(tmp_path, kind):
    change, names, option, labels = OPEN[kind]
    root = project(tmp_path, change, names)
    with pytest.raises(ArgumentError) as caught:
        new_project(root, tmp_path / 'out')
    assert option in str(caught.value)
    made = new_project(root, tmp_path / 'out', **options_of(option))
    assert (labels_by(made) == labels).all()


def test_an_answer_keeps_the_values_as_names(tmp_path):
    root = project(tmp_path, lambda m: np.where(m == 2, 255, m * 5 + 2))
    made = new_project(root, tmp_path / 'out', ask=lambda *_: 'anew')
    assert "classes = ('class 2', 'class 7')" in made.configs[0].read_text()
    assert any(line.endswith('% of all') for line in made.said)  # 255
    kept = new_project(root, tmp_path / 'kept', ask=lambda *_: 'keep')
    assert (labels_by(kept) == np.where(RINGS == 2, 255, RINGS * 5 + 2)).all()


def test_a_number_without_name_and_pixel_is_no_class(tmp_path):
    root = project(tmp_path, lambda m: m * 2 + 1)
    made = new_project(root, tmp_path / 'out', mapping='1:1,3:2,5:4,7:3')
    assert "classes = ('class 1', 'class 2', 'class 4')" in made.configs[0].read_text()
    assert (labels_by(made) == RINGS).all()
    renamed = {'mapping': '1:1,3:2,5:4,7:3', 'rename': 'class 1=floor'}
    made = new_project(root, tmp_path / 'renamed', **renamed)
    assert load_config(made.configs[0]).classes[:2] == ('class 0', 'floor')
    (root / 'masks/_classes.csv').write_text('Pixel Value,Class\n1,a\n3,b\n5,c\n')
    made = new_project(root, tmp_path / 'named')
    assert "classes = ('a', 'b', 'c')" in made.configs[0].read_text()
    assert (labels_by(made) == RINGS).all()


def test_values_are_elided_where_that_is_shorter():
    assert few([*range(9)]) == '0, 1, 2, 3, 4, 5, 6, 7, 8'
    assert few([*range(10)]) == '0, 1, 2, 3, 4, 5, 6, 7, ... 9'


def test_negative_values_are_no_classes():
    with pytest.raises(ArgumentError, match=r'--map=-1:ignore,0:0,1:1$'):
        made_up([-1, 0, 1], None, None)


def test_black_and_white_with_smeared_edges_is_not_200_classes(tmp_path):
    def smear(mask):
        return cv2.blur(np.where(mask > 0, 255, 0).astype(np.uint8), (9, 9))

    root = project(tmp_path, smear)
    with pytest.raises(ArgumentError, match='250') as caught:
        new_project(root, tmp_path / 'out')
    listed = tmp_path / 'out/colours.txt'
    assert f'--colours {listed}, ' in str(caught.value)
    lines = [line for line in listed.read_text().splitlines() if line[0] != '#']
    assert lines[0].startswith('class 0,0,0,0 ')
    listed.write_text('floor,0,0,0\nobject,255,255,255\n')
    made = new_project(root, tmp_path / 'out', colours=listed, tolerance=250)
    assert (labels_by(made) == (smear(RINGS) > 127)).all()


def test_what_broke_is_said_where_nothing_is_left(tmp_path):
    root = project(tmp_path, lambda m: m)
    for path in sorted((root / 'masks').glob('*'))[1:]:
        path.write_bytes(b'')
    with pytest.raises(DataError, match=r'image to train on \(broken: .*masks/1.png'):
        new_project(root, tmp_path / 'out')
    for path, name in zip(sorted((root / 'masks').glob('*')), 'abcd', strict=True):
        path.rename(path.with_name(f'{name}.png'))
    (root / 'masks/a.npy').touch()
    with pytest.raises(DataError, match=r'beside 4 masks of other names, 1 \.npy'):
        new_project(root, tmp_path / 'out')


def test_black_and_white_beside_0_and_1_is_asked_about(tmp_path):
    root = project(tmp_path, lambda m: (m > 0).astype(np.uint8))
    white = np.where(RINGS > 0, 255, 0).astype(np.uint8)
    cv2.imwrite(str(root / 'masks/0.png'), white)
    with pytest.raises(ArgumentError, match='some masks hold 0 and 1') as raised:
        new_project(root, tmp_path / 'out', student='t')
    options = options_of(
        str(raised.value).partition('255 is with ')[2].split(' or ')[0]
    )
    made = new_project(root, tmp_path / 'out', student='t', **options)
    assert np.array_equal(labels_by(made), RINGS > 0)
    assert 'to ignore' not in ' '.join(made.said)
