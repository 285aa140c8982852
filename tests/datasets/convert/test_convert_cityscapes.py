"""Cityscapes' polygons to train ids, and to all label ids."""

import numpy as np
import pytest
from conversion_sources import (
    LARGE,
    SMALL,
    city_json,
    corners,
    expected,
    labels_of,
    made,
    picture,
)  # fmt: skip

from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats.cityscapes import draw_polygons
from sctnet.errors import ArgumentError, DataError


def add(root, part, name, objects):
    city = name.partition('_')[0]
    picture(root / 'leftImg8bit' / part / city / f'{name}_leftImg8bit.png')
    file = root / 'gtFine' / part / city / f'{name}_gtFine_polygons.json'
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(city_json(objects))
    return file


STREET = [('road', LARGE), ('cargroup', SMALL)]


def test_polygons_become_train_ids_in_the_splits_of_the_source(tmp_path):
    root, out = tmp_path / 'city', tmp_path / 'out'
    add(root, 'train', 'aachen_000000_000019', STREET)
    add(root, 'val', 'munster_000000_000019', [('sidewalk', SMALL)])
    add(root, 'test', 'berlin_000000_000019', [('ego vehicle', LARGE)])
    result = convert('cityscapes', root, out, workers=0)
    assert result.classes[:2] == ('road', 'sidewalk')
    assert len(result.classes) == len(result.palette) == 19
    assert result.palette[0] == [128, 64, 128]
    labels = labels_of(out, 'aachen/aachen_000000_000019')
    np.testing.assert_array_equal(labels, expected((LARGE, 0), (SMALL, 13), fill=255))
    labels = labels_of(out, 'munster/munster_000000_000019', 'val')
    np.testing.assert_array_equal(labels, expected((SMALL, 1), fill=255))
    assert made(out)[1] == 'images/train/aachen/aachen_000000_000019.png'
    assert result.skipped == {"images of the part 'test'": 1}


def test_all_label_ids_can_be_had(tmp_path):
    root, out = tmp_path / 'city', tmp_path / 'out'
    objects = [*STREET, ('license plate', SMALL)]
    add(root, 'train', 'aachen_000000_000019', objects)
    result = convert('cityscapes', root, out, workers=0, classes='all')
    assert len(result.classes) == 34
    assert result.classes[7] == 'road'
    np.testing.assert_array_equal(
        labels_of(out, 'aachen/aachen_000000_000019'), expected((LARGE, 7), (SMALL, 26))
    )
    with pytest.raises(ArgumentError, match='expected "train" or "all"'):
        convert('cityscapes', root, tmp_path / 'new', classes='none')


def test_a_label_that_cityscapes_does_not_have_ends_no_process(tmp_path):
    root, out = tmp_path / 'city', tmp_path / 'out'
    add(root, 'train', 'aachen_000000_000019', STREET)
    add(root, 'train', 'bochum_000000_000019', [('dragon', LARGE)])
    cut = add(root, 'train', 'bonn_000000_000019', STREET)
    cut.write_text(cut.read_text()[:-40])
    lost = add(root, 'train', 'ulm_000000_000019', STREET)
    (root / 'leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png').unlink()
    small = add(root, 'train', 'jena_000000_000019', STREET)
    small.write_text(small.read_text().replace('72', '70'))
    result = convert('cityscapes', root, out, workers=0)
    assert result.images == {'train': 1}
    dragon, broken, jena, missing = result.failed
    assert "has the label 'dragon'" in dragon
    assert 'is no JSON of Cityscapes polygons' in broken
    assert 'annotation is for 96x70 pixels and the image has 96x72' in jena
    assert 'ulm_000000_000019_leftImg8bit.png' in missing
    assert lost.exists()


def test_objects_of_no_points_are_an_error_of_that_file(tmp_path):
    text = city_json([('road', LARGE)]).replace(str(corners(LARGE)), '[[1]]')
    with pytest.raises(DataError, match="'x' is no JSON of Cityscapes polygons"):
        draw_polygons(text, "'x'")
