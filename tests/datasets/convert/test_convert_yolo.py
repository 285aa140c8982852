"""YOLO's outlines to label maps, in the layouts of Ultralytics, Roboflow and CVAT."""

import numpy as np
import published_forms
import pytest
from conversion_sources import LARGE, SMALL, expected, labels_of, picture
from published_forms import shares

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats.yolo.listing import find_listing
from sctnet.datasets.new.recognise import recognise
from sctnet.errors import DataError

same = np.testing.assert_array_equal


@pytest.fixture
def root(tmp_path):
    published_forms.yolo_ultralytics(tmp_path / 'in')
    return tmp_path / 'in'


def check(labels, out):
    for name, drawn in labels.items():
        part = 'val' if name.startswith('val') else 'train'
        same(labels_of(out, name, part), drawn)


def test_ultralytics_folders_with_a_path_of_another_machine(tmp_path):
    labels = published_forms.yolo_ultralytics(tmp_path / 'in')
    result = convert('yolo', tmp_path / 'in', tmp_path / 'out', workers=0)
    assert result.classes == ('background', 'person', 'traffic light')
    assert result.images == {'train': 3, 'val': 3}
    assert result.empty == ['train1', 'train2', 'val1', 'val2']
    assert not result.failed
    check(labels, tmp_path / 'out')


def test_roboflows_paths_and_boxes_that_are_counted(tmp_path):
    labels = published_forms.yolo_roboflow(tmp_path / 'in')
    # What lies where the file literally points is another data set.
    picture(tmp_path / 'train/images/other.jpg')
    result = convert('yolo', tmp_path / 'in', tmp_path / 'out', workers=0)
    assert result.images == {'train': 3, 'val': 2}
    assert result.skipped == {
        'boxes, which outline nothing': 2,
        'parts of data.yaml that are not there': 1,
    }
    check(labels, tmp_path / 'out')


def test_cvats_list_of_images(tmp_path):
    labels = published_forms.yolo_cvat(tmp_path / 'in')
    result = convert('yolo', tmp_path / 'in/data.yaml', tmp_path / 'out', val=0.3)
    assert result.classes == ('background', 'wall')
    assert result.images['val'] >= 1
    assert sum(result.images.values()) == 4
    for path in (tmp_path / 'out/labels').glob('*/*.png'):
        same(labels_of(tmp_path / 'out', path.stem, path.parent.name), labels['room 0'])


def test_paths_of_another_machine_are_found_by_their_end(tmp_path):
    labels = published_forms.yolo_cvat(tmp_path / 'list')  # as of Darknet
    lines = (f'data/images/train/{name}.png\n' for name in labels)
    (tmp_path / 'list/train.txt').write_text(''.join(lines))
    result = convert('yolo', tmp_path / 'list', tmp_path / 'out', workers=0)
    assert result.skipped == {'folders of paths, which are not there': 4}
    published_forms.yolo_roboflow(tmp_path / 'in')  # in a notebook
    (tmp_path / 'in/data.yaml').write_text(
        'names: [door, wall]\ntrain: /content/datasets/rooms-1/train/images\n'
        'val: C:\\datasets\\rooms-1\\valid\\images\n'
    )
    result = convert('yolo', tmp_path / 'in', tmp_path / 'other', workers=0)
    assert result.images == {'train': 3, 'val': 2}
    assert result.skipped['folders of paths, which are not there'] == 2


@pytest.mark.parametrize(
    ('file', 'text'),
    [
        # Label Studio's "YOLO with Images", and supervision 0.31's as_yolo.
        ('classes.txt', 'door\nwall\n'),
        ('labels/classes.txt', 'door\nwall\n'),  # labelImg's
        ('data.yaml', 'nc: 2\nnames: [door, wall]\n'),
    ],
)
def test_folders_without_parts(tmp_path, file, text):
    for n in range(3):
        picture(tmp_path / f'in/images/{n:08x}-room.jpg', n)
        labels = tmp_path / f'in/labels/{n:08x}-room.txt'
        labels.parent.mkdir(exist_ok=True)
        labels.write_text(f'0 {shares(LARGE)}\n')
    (tmp_path / 'in' / file).write_text(text)
    (tmp_path / 'in/notes.json').write_text('{"categories": []}')
    result = convert('yolo', tmp_path / 'in', tmp_path / 'out', val=0.0)
    assert result.classes == ('background', 'door', 'wall')
    same(labels_of(tmp_path / 'out', '00000001-room'), expected((LARGE, 1)))


def test_parts_may_be_lists_of_folders_with_folders_in_them(root, tmp_path):
    (root / 'images/val').rename(root / 'images/more')
    (root / 'labels/val').rename(root / 'labels/more')
    (root / 'images/train').rename(root / 'images/deep')
    (root / 'images/train').mkdir()
    (root / 'images/deep').rename(root / 'images/train/deep')
    (root / 'labels/train').rename(root / 'labels/deep')
    (root / 'labels/train').mkdir()
    (root / 'labels/deep').rename(root / 'labels/train/deep')
    (root / 'coco8-seg.yaml').unlink()
    (root / 'data.yaml').write_text(
        f'path: {tmp_path}/gone\ntrain: [images/train, images/more]\nnames: [a, b]\n'
    )
    result = convert('yolo', root, tmp_path / 'out', val=0.0)
    assert result.images == {'train': 6}
    drawn = expected((LARGE, 1), (SMALL, 2))
    same(labels_of(tmp_path / 'out', 'deep/train0'), drawn)
    same(labels_of(tmp_path / 'out', 'val0'), drawn)


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        (f'2 {shares(LARGE)}', 'line 2, is of class 2 and data.yaml names 2'),
        (f'0.5 {shares(LARGE)}', 'line 2, is of class 0.5'),
        (f'0 {shares(LARGE)} 0.5', 'line 2, has 10 words: expected a class and pairs'),
        ('0 0.1 0.1 0.5 0.5 0.2 x', 'line 2, has 7 words'),
        ('0 0.1 0.1', 'line 2, has 3 words'),
        ('0 10 10 40 10 40 40', 'line 2, has points from 10 to 40: expected shares'),
        ('0 nan 0.1 0.5 0.5 0.2 0.4', 'line 2, has points from nan'),
    ],
)
def test_a_broken_line_is_named_and_costs_no_other(root, tmp_path, line, words):
    (root / 'labels/train/train0.txt').write_text(f'0 {shares(LARGE)}\n{line}\n')
    result = convert('yolo', root, tmp_path / 'out', workers=0)
    assert len(result.failed) == 1
    assert words in result.failed[0]
    assert sum(result.images.values()) == 5


@pytest.mark.parametrize('outside', [0.000002, 0.2])
def test_roundings_and_shapes_over_the_edge_are_no_fault(root, tmp_path, outside):
    outline = f'0 {-outside} 0 {1 + outside} 0 1 1 0 1'
    (root / 'labels/train/train0.txt').write_text(outline)
    result = convert('yolo', root, tmp_path / 'out', workers=0)
    assert not result.failed
    assert (labels_of(tmp_path / 'out', 'train0') == 1).all()


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('names: [a]\ntrain: images/nowhere', 'train: images/nowhere, which is not th'),
        ('names: [a, b]\ntrain: images/train\nval: images/train', 'is in the parts tr'),
        ('names: []\ntrain: images/train', 'has no data.yaml with names and train'),
        ('names: [a\n', 'has no data.yaml with names and train'),
        ('names: [a, a]\ntrain: images/train', 'expected each once'),
    ],
)
def test_a_listing_that_cannot_be_is_refused(root, tmp_path, text, words):
    (root / 'coco8-seg.yaml').write_text(text)
    with pytest.raises(DataError) as caught:
        convert('yolo', root, tmp_path / 'out')
    assert words in str(caught.value)


def test_classes_may_have_a_point_and_a_list_that_lacks_is_said(tmp_path):
    picture(tmp_path / 'in/images/a.jpg')
    (tmp_path / 'in/labels').mkdir()
    (tmp_path / 'in/labels/a.txt').write_text(f'1.0 {shares(LARGE)}\n')
    found = recognise(tmp_path / 'in', None)
    with pytest.raises(DataError, match=r'has no data\.yaml with names and train, nor'):
        convert(found.format_name, found.source, tmp_path / 'out')
    (tmp_path / 'in/classes.txt').write_text('door\nwall\n')
    convert('yolo', tmp_path / 'in', tmp_path / 'out', val=0.0)
    same(labels_of(tmp_path / 'out', 'a'), expected((LARGE, 2)))


def test_a_broken_listing_is_named(tmp_path):
    picture(tmp_path / 'images/a.jpg')
    (tmp_path / 'labels').mkdir()
    (tmp_path / 'data.yaml').write_text('names: [a')
    with pytest.raises(DataError, match=r'data\.yaml. is no YAML'):
        find_listing(tmp_path)


def test_boxes_alone_are_refused(root, tmp_path):
    for path in root.glob('labels/*/*.txt'):
        path.write_text('0 0.5 0.5 0.2 0.2\n')
    with pytest.raises(DataError, match=r'has an outline.*its text files hold boxes'):
        convert('yolo', root, tmp_path / 'out')


def test_what_a_listing_holds_is_never_run(root, tmp_path):
    (root / 'coco8-seg.yaml').write_text(
        f'names: !!python/object/apply:os.mkdir [{tmp_path}/made]\n'
        'train: images/train\n'
    )
    for place in (root, root / 'coco8-seg.yaml'):
        with pytest.raises(DataError):
            convert('yolo', place, tmp_path / 'out')
    assert not (tmp_path / 'made').exists()
