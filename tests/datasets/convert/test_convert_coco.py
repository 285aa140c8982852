"""COCO's JSON to label maps, against rectangles and against pycocotools."""

import json

import cv2
import numpy as np
import pytest
from conversion_sources import (
    HEIGHT,
    LARGE,
    SIZE,
    SMALL,
    WIDTH,
    coco_json,
    expected,
    labels_of,
    made,
    outline,
    picture,
)  # fmt: skip
from PIL import Image

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.coco_masks import to_rle
from sctnet.errors import ArgumentError, DataError

same = np.testing.assert_array_equal


@pytest.fixture
def source(tmp_path):
    """A folder with one image, and a function that converts a JSON beside it."""
    picture(tmp_path / 'coco' / 'a.jpg')

    def run(annotations, listed=('a.jpg',), categories=None, out='out', **options):
        json_file = tmp_path / 'coco' / 'annotations.json'
        if annotations is not None:
            coco_json(json_file, annotations, listed, categories)
        options = {'workers': 0, 'val': 0.0, **options}
        return convert('coco', json_file, tmp_path / out, **options), tmp_path / out

    return run


def test_polygons_become_their_rectangles_with_the_smaller_on_top(source):
    small, large = [outline(SMALL)], [outline(LARGE)]
    result, out = source([(0, 3, small), (0, 7, large)])
    assert result.classes == ('background', 'floor', 'wall')  # by category id
    same(labels_of(out, 'a'), expected((LARGE, 2), (SMALL, 1)))
    assert result.pixels[1] == 20 * 20
    original = out.parent / 'coco' / 'a.jpg'
    assert (out / 'images/train/a.jpg').read_bytes() == original.read_bytes()
    # CVAT exports every mask as a crowd: it lies no lower than polygons do.
    crowd = {'size': list(SIZE), 'counts': run_lengths(expected((SMALL, 1)))}
    _, out = source([(0, 7, large), (0, 3, crowd, 1)], out='crowd')
    same(labels_of(out, 'a'), expected((LARGE, 2), (SMALL, 1)))
    # By its z-order the file's last is on top.
    rows = [(0, 3, small), (0, 7, large)]
    result, out = source(rows, out='ordered', order='file')
    same(labels_of(out, 'a'), expected((SMALL, 1), (LARGE, 2)))
    hidden = 'shapes hidden by others, floor under wall (see --order)'
    assert result.skipped.get(hidden, 0) == (labels_of(out, 'a') != 1).all()
    # An instance of two polygons is one.
    left, right = (slice(5, 15), slice(5, 15)), (slice(5, 15), slice(60, 90))
    _, out = source([(0, 3, [outline(left), outline(right)])], out='two')
    same(labels_of(out, 'a'), expected((left, 1), (right, 1)))
    triangle = [10.3, 5.2, 80.7, 30.1, 22.9, 66.6]
    from pycocotools import mask as coco_mask

    theirs = coco_mask.decode(coco_mask.frPyObjects([triangle], *SIZE))[..., 0]
    same(coco_mask.decode(to_rle([triangle], SIZE, None)), theirs)


def test_the_background_can_be_ignored_or_a_category(source):
    result, out = source([(0, 7, [outline(LARGE)])], background='ignore')
    assert result.classes == ('floor', 'wall')
    same(labels_of(out, 'a'), expected((LARGE, 1), fill=255))
    rows = [(0, 2, [outline(LARGE)]), (0, 9, [outline(SMALL)])]
    kinds = {9: 'void', 2: 'tree'}
    result, out = source(rows, categories=kinds, background='void', out='void')
    assert result.classes == ('void', 'tree')
    same(labels_of(out, 'a'), expected((LARGE, 1), (SMALL, 0)))


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('packed', [False, True])
def test_run_lengths_become_the_mask_that_they_were(source, seed, packed):
    from pycocotools import mask as coco_mask

    rng = np.random.default_rng(seed)
    mask = (rng.random(SIZE) < (0.001, 0.02, 0.3, 0.7, 0.999)[seed]).astype(np.uint8)
    mask[0, 0] = seed % 2  # a first run of length 0, too
    if packed:
        rle = coco_mask.encode(np.asfortranarray(mask))
        rle['counts'] = rle['counts'].decode()
    else:
        rle = {'size': list(SIZE), 'counts': run_lengths(mask)}
    _, out = source([(0, 3, rle)])
    same(labels_of(out, 'a'), mask)


def run_lengths(mask):
    """Lengths of runs down the columns, zeros first."""
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    return np.diff([0, *edges, flat.size]).tolist()


def test_what_cannot_be_seen_is_cut_off_and_counted(source):
    over = [-20, -20, 40, -20, 40, 30, -20, 30]
    beyond = [WIDTH + 10, 5, WIDTH + 20, 5, WIDTH + 20, 9, WIDTH + 10, 9]
    rows = [(0, 3, [over]), (0, 7, [beyond])]
    rows += [(0, 3, []), (0, 3, [[1, 2, 3, 4]]), (5, 3, [outline(LARGE)])]
    result, out = source(rows)
    same(labels_of(out, 'a'), expected(((slice(0, 30), slice(0, 40)), 1)))
    assert result.skipped == {
        'shapes without a pixel in the image': 1,
        'annotations without a segmentation': 1,
        'polygons of fewer than three points': 1,
        'annotations of images that are not listed': 1,
    }


def test_an_image_without_annotation_is_background_unless_that_is_ignored(
    source, tmp_path
):
    picture(tmp_path / 'coco' / 'b.jpg', 1)
    given = ([(0, 3, [outline(LARGE)])], ('a.jpg', 'b.jpg', 'gone.jpg'))
    result, out = source(*given)
    assert len(result.failed) == 1
    assert result.images['train'] == 2
    assert not labels_of(out, 'b').any()
    assert result.empty == ['b']
    for options in ({'background': 'ignore'}, {'skip_empty': True}):
        result, _ = source(*given, out=str(options), **options)
        assert result.skipped == {'images without annotation': 2}
        assert result.examples == {
            'images without annotation': str(tmp_path / 'coco/b.jpg')
        }
        assert sum(result.images.values()) == 1
        assert result.empty == []


def test_a_second_file_is_the_validation_set(tmp_path):
    for part in ('train', 'val'):  # the same names, in folders of their own
        picture(tmp_path / part / 'a.jpg')
    train = coco_json(tmp_path / 'train.json', [(0, 3, [outline(LARGE)])])
    val = coco_json(tmp_path / 'val.json', [(0, 7, [outline(SMALL)])])
    out = tmp_path / 'out'
    result = convert(
        'coco', train, out, workers=0, images=str(tmp_path / 'train'),
        val_annotations=val, val_images=tmp_path / 'val',
    )  # fmt: skip
    assert result.images == {'train': 1, 'val': 1}
    same(labels_of(out, 'a'), expected((LARGE, 1)))
    same(labels_of(out, 'a', 'val'), expected((SMALL, 2)))
    # The same names by other numbers, and one more.
    kinds = {3: 'wall', 7: 'sky', 1: 'floor'}
    coco_json(val, [(0, 3, [outline(SMALL)])], categories=kinds)
    result = convert(
        'coco', train, tmp_path / 'new', workers=0, images=tmp_path / 'train',
        val_annotations=val, val_images=tmp_path / 'val',
    )  # fmt: skip
    assert result.classes == ('background', 'floor', 'wall', 'sky')
    assert result.said == [f"'sky' is no category of '{train}'"]
    same(labels_of(tmp_path / 'new', 'a', 'val'), expected((SMALL, 2)))
    # The second has ids of its own: classes are the same where their names are.
    coco_json(val, [(0, 2, [outline(SMALL)])], categories={1: 'sky', 2: 'floor'})
    out = tmp_path / 'other'
    result = convert(
        'coco', train, out, workers=0, images=str(tmp_path / 'train'),
        val_annotations=val, val_images=tmp_path / 'val',
    )  # fmt: skip
    assert result.classes == ('background', 'sky', 'floor', 'wall')
    same(labels_of(out, 'a'), expected((LARGE, 2)))
    same(labels_of(out, 'a', 'val'), expected((SMALL, 2)))


def test_folders_of_file_names_stay_and_none_leads_out(source, tmp_path):
    picture(tmp_path / 'coco' / 'north' / 'a.jpg', 1)
    picture(tmp_path / 'south' / 'a.jpg', 2)
    picture(tmp_path / 'images' / 'b.jpg', 3)  # in a folder beside the JSON's
    listed = ('a.jpg', 'north\\a.jpg', '../south/a.jpg', 'b.jpg')
    _, out = source([(0, 3, [outline(LARGE)])], listed)
    names = ('a', 'b', 'north/a', 'south/a')
    assert made(out) == [
        'dataset.json',
        *(f'images/train/{name}.jpg' for name in names),
        *(f'labels/train/{name}.png' for name in names),
    ]


def test_ids_are_numbers_as_text_and_with_a_point_too(source, tmp_path):
    coco_json(tmp_path / 'coco/annotations.json', [(0, 3, [outline(LARGE)])])
    content = json.loads((tmp_path / 'coco/annotations.json').read_text())
    content['images'][0].update(id='0', width=str(WIDTH), height=f'{HEIGHT}.0')
    content['annotations'][0].update(image_id=0.0, category_id='3')
    content['categories'][0]['id'] = 7.0
    (tmp_path / 'coco/annotations.json').write_text(json.dumps(content))
    result, out = source(None)
    assert result.classes == ('background', 'floor', 'wall')
    same(labels_of(out, 'a'), expected((LARGE, 1)))
    content['categories'][1]['id'] = 7
    (tmp_path / 'coco/annotations.json').write_text(json.dumps(content))
    with pytest.raises(DataError, match="the category 7 to 'wall' and to 'floor'"):
        source(None, out='new')


TAKEN = 'images with an orientation tag, labels taken as drawn upright'
TURNED = 'label maps turned as the orientation tag turns their image'


def turned_picture(path, tag):
    """A picture of 72x96 pixels (height, width) on disk, with a tag."""
    exif = Image.Exif()
    exif[0x0112] = tag
    with Image.open(picture(path)) as image:
        image.save(path, exif=exif)


def test_sizes_of_the_raw_image_beside_shapes_on_the_turned_one(source, tmp_path):
    turned_picture(tmp_path / 'coco/a.jpg', 6)
    beyond = [5, 10, 60, 10, 60, 90, 5, 90]  # the raw image has 72 rows
    result, out = source([(0, 3, [beyond])])
    drawn = labels_of(out, 'a')
    assert drawn.shape == (96, 72)
    assert drawn[10:90, 5:60].all()
    assert drawn.sum() == 80 * 55
    assert result.skipped == {TAKEN: 1}


def test_label_studio_stretches_polygons_of_turned_images(source, tmp_path):
    turned_picture(tmp_path / 'coco/0a1b2c3d-a.jpg', 6)
    # As label-studio-sdk 2.1.2 writes a polygon from 10 % to 75 % of the columns and
    # 20 % to 75 % of the rows of the turned image, which has 72x96 pixels.
    polygon = [9.600000000000001, 14.4, 72.0, 14.4, 72.0, 54.0, 9.600000000000001, 54.0]
    file = tmp_path / 'coco/annotations.json'
    coco_json(file, [(0, 3, [polygon])], ('../../up/3/0a1b2c3d-a.jpg',))
    info = {'year': 2026, 'version': '1.0', 'contributor': 'Label Studio'}
    file.write_text(json.dumps({**json.loads(file.read_text()), 'info': info}))
    result, out = source(None)
    (path,) = out.glob('labels/train/**/*.png')
    rows, columns = np.nonzero(cv2.imread(str(path), -1))
    assert (rows.min(), rows.max() + 1) == (19, 72)
    assert (columns.min(), columns.max() + 1) == (7, 54)
    assert result.skipped[TAKEN] == 1


@pytest.mark.parametrize('tag', range(2, 9))
def test_what_is_drawn_on_the_raw_image_turns_with_it(source, tmp_path, tag):
    large = expected((LARGE, 1))
    rle = {'size': list(SIZE), 'counts': run_lengths(large)}
    turned_picture(tmp_path / 'coco/a.jpg', tag)
    result, out = source([(0, 3, rle)])
    if tag < 5:  # nothing tells
        assert result.skipped == {TAKEN: 1}
        same(labels_of(out, 'a'), large)
        return
    assert result.skipped == {TURNED: 1}
    # As OpenCV turns an image of that tag.
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(large * 255).save(tmp_path / 'same.png', exif=exif)
    same(labels_of(out, 'a'), cv2.imread(str(tmp_path / 'same.png'))[..., 0] // 255)
    rows = [(0, 3, [outline(LARGE)]), (0, 3, [[1, 1, 2, 2]]), (0, 3, rle)]
    _, out = source(rows, out='polygons')
    same(labels_of(out, 'a'), labels_of(tmp_path / 'out', 'a'))
    # Where no size is stated, that of the mask tells, after the polygon is counted.
    file = tmp_path / 'coco/annotations.json'
    content = json.loads(file.read_text())
    content['images'][0].update(width=None, height=None)
    file.write_text(json.dumps(content))
    result, out = source(None, out='unknown')
    same(labels_of(out, 'a'), labels_of(tmp_path / 'out', 'a'))
    assert result.skipped['polygons of fewer than three points'] == 1


@pytest.mark.parametrize(
    ('row', 'message'),
    [
        ((0, 99, [outline(LARGE)]), 'is of category 99, which'),
        ((0, 3, [[1, 2, 3, 4, 5, float('nan')]]), 'expected finite numbers'),
        ((0, 3, [[1, 2, 3, 4, 5, 1e12]]), 'more than 100000 pixels off'),
        ((0, 3, [[1, 2, 3, 4, 5, 6, 7]]), 'no pairs of numbers'),
        ((0, 3, [['a', 2, 3, 4, 5, 6]]), 'no pairs of numbers'),
        ((0, 3, 'polygon'), 'neither polygons nor an RLE'),
        ((0, 3, [5]), 'neither polygons nor an RLE'),
        ((0, 3, {'size': [9, 9], 'counts': [81]}), 'is for 9x9 pixels'),
        ((0, 3, {'size': list(SIZE), 'counts': [5]}), 'an RLE covers 5 pixels'),
        ((0, 3, {'size': list(SIZE), 'counts': '1'}), 'an RLE covers 1 pixels'),
        ((0, 3, {'size': list(SIZE), 'counts': [-1, 6913]}), 'an RLE covers'),
        ((0, 3, {'counts': [5]}), 'cannot be drawn'),
    ],
)
def test_a_broken_annotation_costs_its_own_image_alone(source, tmp_path, row, message):
    picture(tmp_path / 'coco' / 'b.jpg', 1)
    result, out = source([row, (1, 3, [outline(LARGE)])], ('a.jpg', 'b.jpg'))
    same(labels_of(out, 'b'), expected((LARGE, 1)))
    (failure,) = result.failed
    assert 'a.jpg' in failure
    assert message in failure
    assert "annotations.json'" in failure
    assert 'annotation 0 ' in failure
    assert not (out / 'images/train/a.jpg').exists()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"images": [', 'is no JSON, or is cut off'),
        ('[1, 2]', 'holds a list'),
        ('{"images": []}', "no list 'annotations'"),
        ('{"images": [1], "annotations": [], "categories": []}', "list 'images'"),
        ('{"images": [], "annotations": [], "categories": [{}]}', 'has a category'),
        ('[' * 100_000, 'is no JSON'),
    ],
)
def test_an_unreadable_file_is_one_sentence(source, tmp_path, text, message):
    (tmp_path / 'coco' / 'annotations.json').write_text(text)
    with pytest.raises(DataError, match=message):
        source(None)
    assert not (tmp_path / 'out').exists()


def test_the_package_that_draws_is_named_where_it_lacks(source, monkeypatch):
    monkeypatch.setattr(
        'sctnet.compat.optional_packages.is_installed', lambda name: False
    )
    with pytest.raises(ArgumentError, match=r"pip install 'sctnet\[convert\]'"):
        source([(0, 3, [outline(LARGE)])])


def test_a_polygon_may_lack_its_brackets_and_a_name_its_folders(source):
    url = 'https://photos.example.org/2026/a.jpg?size=full'
    result, out = source([(0, 3, outline(LARGE))], (url,))
    same(labels_of(out, '2026/a'), expected((LARGE, 1)))
    assert sum(result.skipped.values()) == 1  # found by its last part


def test_shapes_without_a_pixel_are_no_data_set(source):
    shares = [(0, 3, [[0.1, 0.1, 0.8, 0.1, 0.8, 0.9]])]
    with pytest.raises(DataError, match='1 polygons from 0 to 1, as of shares'):
        source(shares)
    with pytest.raises(DataError, match='1 shapes without a pixel in the image'):
        source([(0, 3, [[9000, 10, 9005, 10, 9005, 15]])])
    source([(0, 3, [outline(LARGE)]), *shares])


def test_an_image_that_is_listed_twice_is_one(source, tmp_path):
    rows = [(0, 7, [outline(LARGE)]), (1, 3, [outline(SMALL)])]
    result, out = source(rows, ('a.jpg', 'a.jpg'))
    same(labels_of(out, 'a'), expected((LARGE, 2), (SMALL, 1)))
    assert result.images == {'train': 1}
    together = 'entries of an image that was listed before, put together'
    assert result.skipped == {together: 1}
    file = tmp_path / 'coco/annotations.json'
    contents = json.loads(file.read_text())
    contents['images'][1]['width'] += 1
    file.write_text(json.dumps(contents))
    result, out = source(None, out='other')
    assert 'is listed twice, with the sizes' in result.failed[0]
    same(labels_of(out, 'a'), expected((LARGE, 2)))


def test_a_parent_without_annotations_is_no_class_and_equal_names_are_one(
    source, tmp_path
):
    rows = [(0, 1, [outline(LARGE)]), (0, 2, [outline(SMALL)])]
    file = coco_json(tmp_path / 'coco/annotations.json', rows)
    contents = json.loads(file.read_text())
    contents['categories'] = [  # as Roboflow writes them
        {'id': 0, 'name': 'rooms', 'supercategory': 'none'},
        {'id': 1, 'name': 'door', 'supercategory': 'rooms'},
        {'id': 2, 'name': 'door', 'supercategory': 'rooms'},
        {'id': 3, 'name': 'alone', 'supercategory': 'none'},
    ]
    file.write_text(json.dumps(contents))
    result, out = source(None)
    assert result.classes == ('background', 'door', 'alone')
    same(labels_of(out, 'a'), expected((LARGE, 1), (SMALL, 1)))
    assert result.said == [
        "dropped: 'rooms', which has no annotation and is what others belong to",
        f"one class, 'door': 2 categories of '{file}'",
    ]
    # The parent itself is annotated.
    contents['annotations'][1]['category_id'] = 0
    file.write_text(json.dumps(contents))
    result, _ = source(None, out='annotated')
    assert result.classes == ('background', 'rooms', 'door', 'alone')
    assert not any(line.startswith('dropped') for line in result.said)
    # COCO's own groups are classes as well.
    contents['annotations'][1]['category_id'] = 1
    contents['categories'][0]['supercategory'] = 'rooms'
    file.write_text(json.dumps(contents))
    assert 'rooms' in source(None, out='own')[0].classes
