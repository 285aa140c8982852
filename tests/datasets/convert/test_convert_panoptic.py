"""COCO's panoptic segments to label maps of things and stuff."""

import json

import numpy as np
import published_forms
import pytest
from conversion_sources import labels_of

from sctnet.datasets.convert import convert
from sctnet.errors import DataError

same = np.testing.assert_array_equal


@pytest.fixture
def coco(tmp_path):
    """COCO's folders, with a function that changes the file to train on."""
    root = tmp_path / 'coco'
    labels = published_forms.coco_panoptic(root)
    file = root / 'annotations/panoptic_train2017.json'

    def change(edit):
        content = json.loads(file.read_text())
        edit(content)
        file.write_text(json.dumps(content))

    return root, labels, change


def test_segments_become_their_categories_in_the_parts_of_the_source(coco, tmp_path):
    root, labels, _ = coco
    result = convert('panoptic', root, tmp_path / 'out', workers=0)
    assert result.classes == ('person', 'car', 'rug-merged')
    assert result.palette is None
    assert not result.failed
    assert not result.skipped
    assert result.images == {'train': 3, 'val': 3}
    for name, drawn in labels.items():
        part = 'val' if name.startswith('0000000001') else 'train'
        same(labels_of(tmp_path / 'out', name, part), drawn)


def test_a_file_alone_its_folders_elsewhere_and_colours(coco, tmp_path):
    root, labels, change = coco
    pngs, images = tmp_path / 'pngs', tmp_path / 'jpgs'
    (root / 'annotations/panoptic_train2017').rename(pngs)
    (root / 'train2017').rename(images)

    def colour(content):
        for place, category in enumerate(content['categories']):
            category['color'] = [220, 20, place]

    change(colour)
    file = root / 'annotations/panoptic_train2017.json'
    with pytest.raises(DataError, match='none of the 3 images could be converted'):
        convert('panoptic', file, tmp_path / 'out')
    options = {'images': images, 'masks': pngs, 'val': 0.0}
    result = convert('panoptic', file, tmp_path / 'out', **options)
    assert result.palette == [[220, 20, 0], [220, 20, 1], [220, 20, 2]]
    same(labels_of(tmp_path / 'out', '000000000009'), labels['000000000009'])


def test_pngs_are_found_where_others_keep_them(coco, tmp_path):
    root, labels, _ = coco
    for number, place in enumerate(('panoptic_train2017', 'annotations')):
        # Detectron2's, beside the annotations; Mapillary's, beside the JSON.
        for png in (root / 'annotations/panoptic_train2017').glob('*.png'):
            (root / place).mkdir(exist_ok=True)
            png.rename(root / place / png.name)
        result = convert('panoptic', root, tmp_path / f'{number}')
        assert not result.failed
        back = root / 'annotations/panoptic_train2017'
        for png in (root / place).glob('*.png'):
            png.rename(back / png.name)
    same(labels_of(tmp_path / '1', '000000000009'), labels['000000000009'])


def test_what_does_not_agree_is_named(coco, tmp_path):
    root, _, change = coco

    def edit(content):
        first, second, third = content['annotations']
        del first['segments_info'][1]
        second['segments_info'].append({'id': 99, 'category_id': 3})
        third['segments_info'] = []

    change(edit)
    result = convert('panoptic', root, tmp_path / 'out', workers=0)
    assert len(result.failed) == 1
    assert 'shows the segments [7009], which its JSON does not list' in result.failed[0]
    assert result.skipped == {
        'segments without a pixel': 1,
        'images without annotation': 1,
    }
    change(lambda content: content['annotations'][0].pop('segments_info'))
    with pytest.raises(DataError, match='without a list segments_info'):
        convert('panoptic', root, tmp_path / 'other')


def test_shapes_and_segments_point_to_each_other(coco, tmp_path):
    root, _, change = coco
    file = root / 'annotations/panoptic_train2017.json'
    with pytest.raises(DataError, match='take the format "panoptic"'):
        convert('coco', file, tmp_path / 'out')
    change(lambda content: content.update(annotations=[{'segmentation': []}]))
    with pytest.raises(DataError, match='for shapes take the format "coco"'):
        convert('panoptic', file, tmp_path / 'out')
    with pytest.raises(DataError, match='annotations have segments_info'):
        convert('panoptic', root / 'train2017', tmp_path / 'out')
