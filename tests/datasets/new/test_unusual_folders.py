"""Folders as unpacking and other tools leave them, and what refusals name."""

import json
import shutil

import exports
import published_forms
import pytest
from conversion_sources import picture

from sctnet.datasets.new import new_project
from sctnet.datasets.new.recognise import recognise
from sctnet.errors import ArgumentError, DataError


def never(question, choices, option):
    raise AssertionError(question)


@pytest.mark.parametrize('form', ['airbus', 'yolo_ultralytics', 'roboflow_masks'])
def test_a_folder_of_one_folder_is_entered(tmp_path, form):
    make = getattr(published_forms, form, None) or getattr(exports, form)
    make(tmp_path / 'plain')
    root = tmp_path / 'in/download/data'
    shutil.copytree(tmp_path / 'plain', root)
    (tmp_path / 'in/README.txt').write_text('a note')
    (tmp_path / 'in/__MACOSX').mkdir()
    found = recognise(tmp_path / 'in', never)
    assert found.format_name == recognise(tmp_path / 'plain', never).format_name
    assert found.said.endswith(", in its folder 'data', in its folder 'download'")
    made = new_project(tmp_path / 'in', tmp_path / 'out', ask=never)
    assert made.root == tmp_path / 'out/data'


def test_a_data_set_in_a_folder_of_its_own_is_used_in_place_and_kept(tmp_path):
    exports.flat_folders(tmp_path / 'in')
    new_project(tmp_path / 'in', tmp_path / 'out', ask=never)
    (tmp_path / 'box').mkdir()
    (tmp_path / 'out/data').rename(tmp_path / 'box/data')
    made = new_project(tmp_path / 'box', tmp_path / 'used', ask=never)
    assert made.root == tmp_path / 'box/data'
    (tmp_path / 'box/data/dataset.json').write_text('{"classes": ["a", "b"]}')
    with pytest.raises(DataError, match='not as sctnet writes it'):
        new_project(tmp_path / 'box', tmp_path / 'other', ask=never)
    assert (tmp_path / 'box/data/images').is_dir()


def test_a_folder_of_masks_is_named_in_words_that_are_not_known(tmp_path):
    root = tmp_path / 'in'
    for n in range(3):
        picture(root / f'PNGImages/{n}.png', n)
        exports.write(root / f'PedMasks/{n}_mask.png', exports.labels(n))
    for out, masks in (('path', root / 'PedMasks'), ('name', 'PedMasks')):
        made = new_project(root, tmp_path / out, masks=masks, ask=never)
        assert '3 images with index masks' in made.said[0]


@pytest.mark.parametrize('form', ['cvat_masks', 'roboflow_masks'])
def test_an_export_without_images_takes_them_from_elsewhere(tmp_path, form):
    root, photos = tmp_path / 'in', tmp_path / 'photos'
    getattr(exports, form)(root)
    for image in sorted(root.rglob('*.jpg')):
        photos.mkdir(exist_ok=True)
        image.rename(photos / image.name)
    shutil.rmtree(root / 'JPEGImages', ignore_errors=True)
    if form == 'cvat_masks':  # which has its colours, too
        with pytest.raises(DataError, match=r'masks and no image: .* --images'):
            recognise(root, never)
    picture(tmp_path / 'others/x.jpg')
    with pytest.raises(DataError, match='1 image and no mask'):
        new_project(root, tmp_path / 'out', images=tmp_path / 'others', ask=never)
    made = new_project(root, tmp_path / 'out', images=photos, ask=never)
    summary = json.loads((made.root / 'dataset.json').read_text())
    assert summary['classes'] == ['background', 'door', 'wall']
    assert sum(summary['images'].values()) == 6


@pytest.mark.parametrize('place', ['masks', 'elsewhere'])
def test_a_list_of_colours_beside_the_masks_is_found(tmp_path, place):
    root = tmp_path / 'in'
    exports.cvat_masks(root)
    (root / 'JPEGImages').rename(root / 'photos')
    masks = root.parent / place if place == 'elsewhere' else root / place
    (root / 'SegmentationClass').rename(masks)
    shutil.rmtree(root / 'SegmentationObject')
    rows = [f'{n},{r},{g},{b}\n' for n, (r, g, b) in exports.COLOURS.items()]
    (masks / 'class_dict.csv').write_text('name,r,g,b\n' + ''.join(rows))
    (root / 'labelmap.txt').unlink()
    found = recognise(root, never, masks)
    assert found.options['colours'] == masks / 'class_dict.csv'


def test_one_thing_that_is_to_blame_is_named(tmp_path):
    def refused(match, name='in', **options):
        with pytest.raises((DataError, ArgumentError), match=match):
            new_project(tmp_path / name, tmp_path / 'out', ask=never, **options)

    (tmp_path / 'in').mkdir()
    refused(r"in' has no image \(.png, .jpg")
    picture(tmp_path / 'in/a.jpg')
    (tmp_path / 'in/a.json').write_text('{"images": [')
    refused("a.json' is no JSON, or is cut off")
    shape = {'shape_attributes': {'name': 'polygon'}}
    (tmp_path / 'in/a.json').write_text(json.dumps({'a': {'regions': [shape]}}))
    refused("a.json' is VIA's own JSON, .* as COCO")
    (tmp_path / 'in.zip').write_bytes(b'PK')
    refused("in.zip' is an archive: unpack it", 'in.zip')


def test_of_one_image_in_tiles_none_is_left_to_validate(tmp_path):
    picture(tmp_path / 'in/images/a.png', 0)
    exports.write(tmp_path / 'in/masks/a.png', exports.labels(0))
    with pytest.raises(DataError, match='tiles of one count as one'):
        new_project(tmp_path / 'in', tmp_path / 'out', tile=64, ask=never)
