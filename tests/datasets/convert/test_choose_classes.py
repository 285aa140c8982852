"""Classes merged, renamed, dropped and ordered: alike in every format."""

import json

import cv2
import numpy as np
import pytest
from conversion_sources import (
    LARGE,
    SIZE,
    SMALL,
    city_json,
    coco_json,
    corners,
    expected,
    labelme_json,
    labels_of,
    outline,
    picture,
)  # fmt: skip
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.annotated_images import Source
from sctnet.datasets.convert.choose_classes import choose
from sctnet.datasets.convert.options import parse_classes, parse_rename
from sctnet.datasets.convert.summary import report_left_out
from sctnet.errors import ArgumentError, DataError

same = np.testing.assert_array_equal
BUS = (slice(0, 8), slice(0, 30))
DRAWN = expected((LARGE, 1), (SMALL, 2), (BUS, 3))
NAMES = ['background', 'car', 'tree', 'bus']


def write_mask(path, image=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or Image.fromarray(DRAWN)).save(path)


def coco(root):
    rows = [(0, 1, [outline(LARGE)]), (0, 2, [outline(SMALL)]), (0, 3, [outline(BUS)])]
    picture(root / 'a.jpg')
    kinds = dict(enumerate(NAMES[1:], 1))
    return coco_json(root / 'all.json', rows, categories=kinds), {}


def labelme(root):
    picture(root / 'a.jpg')
    shapes = [
        (name, 'polygon', corners(where))
        for name, where in (('car', LARGE), ('tree', SMALL), ('bus', BUS))
    ]
    labelme_json(root / 'a.json', shapes)
    return root, {}


def masks(root):
    picture(root / 'images/a.jpg')
    write_mask(root / 'masks/a.png')
    return root, {'classes': NAMES}


def colours(root):
    picture(root / 'images/a.jpg')
    table = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]], np.uint8)
    write_mask(root / 'masks/a.png', Image.fromarray(table[DRAWN]))
    lines = zip(NAMES, table.tolist(), strict=True)
    listed = root / 'list.txt'
    listed.write_text('\n'.join(f'{n},{r},{g},{b}' for n, (r, g, b) in lines))
    return root / 'images', {'masks': root / 'masks', 'colours': listed}


def voc(root):
    picture(root / 'JPEGImages/a.jpg')
    write_mask(root / 'SegmentationClass/a.png')
    return root, {'classes': NAMES}


@pytest.fixture(params=[coco, labelme, masks, colours, voc])
def source(request, tmp_path):
    """Converts one image of a car, a tree over it and a bus, in each format."""
    data, given = request.param(tmp_path / 'in')

    def run(out='out', **options):
        name = request.param.__name__
        given_here = {'workers': 0, 'val': 0.0, **given, **options}
        result = convert(name, data, tmp_path / out, **given_here)
        return result, labels_of(tmp_path / out, 'a')

    run.shapes = request.param in (coco, labelme)
    return run


def test_names_that_become_one_are_merged_and_ignore_is_255(source):
    result, labels = source(rename='car=vehicle,bus=vehicle,tree=ignore')
    assert result.classes == ('background', 'vehicle')
    same(labels, expected((LARGE, 1), (SMALL, 255), (BUS, 1)))
    ((merged,), (ignored,)) = (
        [line for line in result.said if word in line]
        for word in ("one class, 'vehicle'", 'to ignore')
    )
    assert {'car', 'bus'} == set(merged.partition(': ')[2].split(', '))
    assert ignored == 'to ignore, 255: tree'
    summary = json.loads((result.root / 'dataset.json').read_text())
    assert summary['became']['bus'] == 'vehicle'
    assert summary['became']['tree'] == 'ignore'
    assert summary['classes'] == ['background', 'vehicle']
    # From Python, onto a name that is there, and the background's.
    result, labels = source('two', rename={'tree': 'car', 'bus': 'background'})
    assert result.classes == ('background', 'car')
    same(labels, expected((LARGE, 1), (SMALL, 1)))
    # Names are exchanged at once, not one after the other.
    result, labels = source('swap', rename='car=bus,bus=car', keep='car,bus,tree')
    same(labels, expected((LARGE, 2), (SMALL, 3), (BUS, 1)))


def test_classes_are_kept_in_the_order_that_is_asked_for(source):
    result, labels = source(keep='tree,bus,car')
    assert result.classes == ('background', 'tree', 'bus', 'car')
    same(labels, expected((LARGE, 3), (SMALL, 1), (BUS, 2)))
    assert not result.skipped
    result, labels = source('last', keep=['bus', 'car', 'tree', 'background'])
    assert result.classes == ('bus', 'car', 'tree', 'background')
    same(labels, expected((LARGE, 1), (SMALL, 2), (BUS, 0), fill=3))
    # What is dropped hides nothing where there are shapes, else it is background.
    result, labels = source('few', keep='bus,car')
    assert result.classes == ('background', 'bus', 'car')
    hole = () if source.shapes else ((SMALL, 0),)
    same(labels, expected((LARGE, 2), *hole, (BUS, 1)))
    fate = 'their shapes are not drawn'
    if not source.shapes:
        fate = "their pixels are the class 'background'"
    assert f'dropped, {fate}: tree' in result.said
    assert result.became['tree'] is None
    result, labels = source('none', keep='bus,car', rename='background=ignore')
    assert result.classes == ('bus', 'car')
    hole = () if source.shapes else ((SMALL, 255),)
    same(labels, expected((LARGE, 1), *hole, (BUS, 0), fill=255))


def test_names_that_are_not_there_are_one_sentence(source):
    with pytest.raises(ArgumentError, match=r"--rename names 'caar'.*mean 'car'\?"):
        source(rename='caar=x')
    with pytest.raises(ArgumentError, match=r"names 'vehikle'.*mean 'vehicle'\?"):
        source(rename='car=vehicle', keep='vehikle,bus')
    with pytest.raises(DataError, match='1 classes in all'):
        source(rename='background=ignore,car=a,tree=a,bus=a')


def test_colours_follow_their_class(tmp_path):
    data, given = colours(tmp_path / 'in')
    for out, rename, keep, palette in (
        ('a', 'bus=car', 'tree,car', [[0, 0, 0], [0, 9, 0], [9, 0, 0]]),
        ('b', 'car=bus', None, [[0, 0, 0], [0, 0, 9], [0, 9, 0]]),
        ('c', 'car=x,tree=x', None, [[0, 0, 0], [9, 0, 0], [0, 0, 9]]),
    ):
        result = convert(
            'colours', data, tmp_path / out, rename=rename, keep=keep, val=0.0, **given
        )
        assert result.palette == palette, out


def test_what_occurs_by_chance_may_be_named_all_the_same(tmp_path):
    data, _ = labelme(tmp_path / 'in')
    result = convert(
        'labelme', data, tmp_path / 'out', classes='car,lorry', rename='van=lorry'
    )
    assert result.classes == ('background', 'car', 'lorry')
    said = report_left_out(result)
    assert 'without a single pixel: lorry' in said
    assert '--rename names what does not occur: van' in said
    # COCO lists its categories, so that one that is not there is a mistake.
    data, _ = coco(tmp_path / 'coco')
    with pytest.raises(
        ArgumentError, match='expected some of background, car, tree, bus'
    ):
        convert('coco', data, tmp_path / 'no', rename='lorry=car')


def test_merged_shapes_hide_none_of_their_own(tmp_path):
    data, _ = labelme(tmp_path / 'in')
    labelme_json(
        data / 'a.json',
        [('tree', 'polygon', corners(BUS)), ('bus', 'polygon', corners(BUS))],
    )
    hidden = 'shapes hidden by others, tree under bus (see --order)'
    result = convert('labelme', data, tmp_path / 'a', val=0.0)
    assert result.skipped == {hidden: 1}
    result = convert('labelme', data, tmp_path / 'c', rename='tree=oak', val=0.0)
    assert result.skipped == {hidden.replace('tree', 'oak'): 1}
    result = convert('labelme', data, tmp_path / 'b', rename='tree=bus', val=0.0)
    assert not result.skipped
    # The order of the classes is that of the new ones.
    for keep, on_top in (('tree,bus', 2), ('bus,tree', 2)):
        result = convert(
            'labelme', data, tmp_path / keep, keep=keep, order='classes', val=0.0
        )
        same(labels_of(tmp_path / keep, 'a'), expected((BUS, on_top)))


def test_an_image_of_dropped_shapes_alone_is_empty(tmp_path):
    data, _ = labelme(tmp_path / 'in')
    picture(data / 'b.jpg')
    labelme_json(data / 'b.json', [('tree', 'polygon', corners(SMALL))], 'b.jpg')
    result = convert('labelme', data, tmp_path / 'a', classes='car,bus', val=0.0)
    assert result.empty == ['b']
    result = convert(
        'labelme', data, tmp_path / 'b', classes='car,bus', val=0.0, skip_empty=True
    )
    assert result.images == {'train': 1}
    assert result.skipped['images without annotation'] == 1


def test_cityscapes_polygons_are_chosen_and_ordered(tmp_path):
    name = 'aachen_000000_000019'
    picture(tmp_path / f'in/leftImg8bit/train/aachen/{name}_leftImg8bit.png')
    file = tmp_path / f'in/gtFine/train/aachen/{name}_gtFine_polygons.json'
    file.parent.mkdir(parents=True)
    objects = [('car', SMALL), ('road', LARGE), ('ego vehicle', BUS)]
    file.write_text(city_json(objects))
    for out, drawn, options in (
        ('file', ((SMALL, 13), (LARGE, 0)), {}),
        ('area', ((LARGE, 0), (SMALL, 13)), {'order': 'area'}),
        ('keep', ((SMALL, 1),), {'keep': 'sky,car', 'rename': {'road': 'ignore'}}),
    ):
        options['val'] = 0.0
        convert('cityscapes', tmp_path / 'in', tmp_path / out, **options)
        labels = labels_of(tmp_path / out, f'aachen/{name}')
        if out == 'keep':
            drawn = (*drawn, (LARGE, 255))
        same(labels, expected(*drawn, fill=255))


@pytest.mark.parametrize('given', ['car', 'car=', '=car', 'car=a,car=b', 'a=b,c'])
def test_renaming_wants_pairs(given):
    with pytest.raises(ArgumentError, match='expected each class once'):
        parse_rename(given)


def test_new_names_may_stand_in_a_file(tmp_path):
    file = tmp_path / 'names.txt'
    file.write_text('car, red=vehicle\n\na=b = c\n')
    assert parse_rename(str(file)) == {'car, red': 'vehicle', 'a=b': 'c'}
    with pytest.raises(ArgumentError, match=r"no file 'none\.txt' for --rename"):
        parse_rename('none.txt')
    assert parse_rename(None) == {}


def test_label_maps_of_more_classes_than_bytes_are_refused():
    found = Source(tuple(f'c{n}' for n in range(300)))
    merged = {name: name[:2] for name in found.classes}
    with pytest.raises(DataError, match=r'300 classes in all: .* merge some'):
        choose(found, merged)  # its label maps hold all of them
    found.fill = 0
    assert len(choose(found, merged).classes) == 10
    for count in (255, 256):
        found = Source(tuple(f'c{n}' for n in range(count)), fill=0)
        if count == 255:
            assert len(choose(found).classes) == 255
    with pytest.raises(DataError, match='256 classes'):
        choose(found)


def test_names_are_each_once_and_may_stand_in_a_file(tmp_path):
    (tmp_path / 'names.txt').write_text('floor\n\nwall, red\n')
    assert parse_classes(str(tmp_path / 'names.txt')) == ('floor', 'wall, red')
    assert parse_classes('wall, floor') == ('wall', 'floor')
    for given in ('a,a', ' , '):
        with pytest.raises(ArgumentError, match='expected each once'):
            parse_classes(given)


def test_masks_of_all_kinds_are_written_as_bytes(tmp_path):
    data, given = masks(tmp_path / 'in')
    cv2.imwrite(str(data / 'masks/a.png'), DRAWN.astype(np.uint16))
    convert('masks', data, tmp_path / 'out', rename='car=x', val=0.0, **given)
    assert labels_of(tmp_path / 'out', 'a').shape == SIZE
