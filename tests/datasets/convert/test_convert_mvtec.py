"""MVTec AD's folders to label maps with a class for each kind of defect."""

import numpy as np
import published_forms
import pytest
from conversion_sources import LARGE, SMALL, expected, labels_of, picture
from published_forms import write

from sctnet.datasets.convert import convert
from sctnet.errors import DataError

same = np.testing.assert_array_equal


def test_kinds_of_defects_are_classes_and_good_images_background(tmp_path):
    labels = published_forms.mvtec_ad(tmp_path)
    root, out = tmp_path / 'bottle', tmp_path / 'out'
    result = convert('mvtec', root, out, val=0.0, workers=0)
    assert result.classes == ('background', 'broken_large', 'contamination')
    assert result.images == {'train': 12}
    for name, drawn in labels.items():
        same(labels_of(out, name), drawn)
    shared = convert('mvtec', root, tmp_path / 'shared', val=0.3)
    assert shared.images['val']


def test_classes_of_several_categories_have_their_name(tmp_path):
    published_forms.mvtec_ad(tmp_path / 'in')
    published_forms.mvtec_ad(tmp_path / 'in', 'cable', ['cut_outer_insulation'])
    result = convert('mvtec', tmp_path / 'in', tmp_path / 'out', val=0.0)
    assert result.classes == (
        'background', 'bottle/broken_large', 'bottle/contamination',
        'cable/cut_outer_insulation',
    )  # fmt: skip
    labels = labels_of(tmp_path / 'out', 'cable/test_cut_outer_insulation_001')
    same(labels, expected((SMALL, 3)))


def test_several_masks_an_image_and_other_values(tmp_path):
    # MVTec LOCO: a folder of masks an image, its values are kinds of anomalies.
    root = tmp_path / 'box'
    picture(root / 'train/good/000.png')
    picture(root / 'validation/good/000.png')
    picture(root / 'test/logical_anomalies/000.png')
    for n, where in enumerate((LARGE, SMALL)):
        mask = expected((where, 239 + n))
        write(root / f'ground_truth/logical_anomalies/000/{n:03}.png', mask)
    result = convert('mvtec', root, tmp_path / 'out', val=0.0)
    labels = labels_of(tmp_path / 'out', 'test_logical_anomalies_000')
    same(labels, expected((LARGE, 1), (SMALL, 1)))
    assert result.images == {'train': 3}


def test_a_defect_without_a_mask_is_counted_and_a_small_mask_is_broken(tmp_path):
    published_forms.mvtec_ad(tmp_path)
    masks = tmp_path / 'bottle/ground_truth/broken_large'
    (masks / '000_mask.png').unlink()
    write(masks / '001_mask.png', np.zeros((9, 9), np.uint8))
    result = convert('mvtec', tmp_path / 'bottle', tmp_path / 'out', workers=0)
    assert result.skipped == {'images without a mask': 1}
    assert len(result.failed) == 1
    assert '9x9' in result.failed[0]
    with pytest.raises(DataError, match=r"expected MVTec AD's layout"):
        convert('mvtec', masks, tmp_path / 'other')
