"""Images and masks are paired by folders and names as people have them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sctnet.datasets.convert.pairing import find_pairs
from sctnet.errors import DataError

LAYOUTS = {
    'two folders': (['images/a.jpg', 'images/b.jpg'], ['masks/a.png', 'masks/b.png']),
    'numbers behind other words': (
        ['img/image_0001.jpg', 'img/image_0002.jpg', 'img/image_0010.jpg'],
        ['gt/gt_0001.png', 'gt/gt_0002.png', 'gt/gt_0010.png'],
    ),
    'one folder with suffixes': (['x.jpg', 'y.jpg'], ['x_mask.png', 'y_mask.png']),
    'one folder, a prefix': (['x.png', 'y.png'], ['mask_x.png', 'mask_y.png']),
    'a PNG beside each JPEG': (['x.jpg', 'y.JPG'], ['x.png', 'y.png']),
    'parts above': (
        ['train/images/a.jpg', 'val/images/a.jpg'],
        ['train/masks/a.png', 'val/masks/a.png'],
    ),
    'parts below': (
        ['images/train/s1/1.jpg', 'images/train/s2/1.jpg'],
        ['labels/train/s1/1.png', 'labels/train/s2/1.png'],
    ),
    'CamVid': (
        ['train/0001TP_1.png', 'val/0016E5_1.png', 'test/Seq05VD_1.png'],
        ['trainannot/0001TP_1.png', 'valannot/0016E5_1.png', 'testannot/Seq05VD_1.png'],
    ),
    'Cityscapes': (
        [
            'leftImg8bit/val/bonn/bonn_1_leftImg8bit.png',
            'leftImg8bit/val/ulm/ulm_1_leftImg8bit.png',
        ],
        [
            'gtFine/val/bonn/bonn_1_gtFine_labelTrainIds.png',
            'gtFine/val/ulm/ulm_1_gtFine_labelTrainIds.png',
        ],
    ),
    'Roboflow masks': (
        ['train/p_jpg.rf.1a.jpg', 'valid/q_jpg.rf.2b.jpg'],
        ['train/p_jpg.rf.1a_mask.png', 'valid/q_jpg.rf.2b_mask.png'],
    ),
    'capital letters': (
        ['Images/IMG_1.JPG', 'Images/IMG_2.JPG'],
        ['Masks/img_1.PNG', 'Masks/img_2.PNG'],
    ),
    'one alone': (['images/a.jpg'], ['masks/a_mask.png']),
    'umlauts in two forms': (['images/t\u00fcr.jpg'], ['masks/tu\u0308r.png']),
    'words in the names of folders': (
        ['train_images/a.jpg', 'val_images/b.jpg'],
        ['train_masks/a.png', 'val_masks/b.png'],
    ),
    "mmseg's own": (['img_dir/train/a.jpg'], ['ann_dir/train/a.png']),
    'below a folder of a telling name': (
        ['segmentation/images/a.jpg', 'segmentation/images/b.jpg'],
        ['segmentation/masks/a.png', 'segmentation/masks/b.png'],
    ),
    'folders of images, and masks in one': (
        ['images/dogs/rex_1.jpg', 'images/cats/tom_1.jpg'],
        ['masks/rex_1.png', 'masks/tom_1.png'],
    ),
    'folders of masks, and images in one': (
        ['images/a.jpg', 'images/b.jpg'],
        ['masks/train/a.png', 'masks/val/b.png'],
    ),
    'parts of two names': (
        ['images/train/a.jpg', 'images/val/a.jpg'],
        ['labels/training/a.png', 'labels/Validation/a.png'],
    ),
    'DeepGlobe': (['1_sat.jpg', '22_sat.jpg'], ['1_mask.png', '22_mask.png']),
    'Carvana': (
        ['imgs/a_01.jpg', 'imgs/a_02.jpg'],
        ['masks/a_01_mask.gif', 'masks/a_02_mask.gif'],
    ),
}


def write(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(cv2.imencode('.png', np.zeros((2, 2), np.uint8))[1])


def found_in(root, masks=None):
    found = find_pairs(root, masks)
    return found, {
        (image.relative_to(root).as_posix(), mask.name)
        for image, mask, _ in found.pairs
    }


@pytest.mark.parametrize('layout', LAYOUTS)
def test_each_image_gets_its_mask(tmp_path, layout):
    images, masks = LAYOUTS[layout]
    write(tmp_path, [*images, *masks])
    found, pairs = found_in(tmp_path)
    assert pairs == {(i, Path(m).name) for i, m in zip(images, masks, strict=True)}
    assert len(found.pairs) == len(images)
    for image, mask, _ in found.pairs:  # of the same folders
        wanted = dict(zip(images, masks, strict=True))[
            image.relative_to(tmp_path).as_posix()
        ]
        assert mask == tmp_path / wanted
    assert not found.images
    assert not found.masks


def test_what_has_no_partner_is_left_over(tmp_path):
    write(tmp_path, ['images/a.jpg', 'images/b.jpg', 'masks/a.png', 'masks/c.png'])
    found, pairs = found_in(tmp_path)
    assert pairs == {('images/a.jpg', 'a.png')}
    assert [file.name for file in found.images] == ['b.jpg']
    assert [file.name for file in found.masks] == ['c.png']


def test_words_that_happen_to_end_alike_are_no_suffix(tmp_path):
    write(
        tmp_path, ['images/cat.jpg', 'images/hat.jpg', 'masks/cat.png', 'masks/hat.png']
    )
    _, pairs = found_in(tmp_path)
    assert pairs == {('images/cat.jpg', 'cat.png'), ('images/hat.jpg', 'hat.png')}


def test_other_numbers_are_no_partners(tmp_path):
    write(tmp_path, [f'images/day1_{n}.png' for n in range(4)])
    write(tmp_path, [f'masks/day2_{n}.png' for n in range(4)])
    found, pairs = found_in(tmp_path)
    assert not pairs
    assert len(found.images) == len(found.masks) == 4


def test_of_two_masks_of_a_name_the_lossless_one_counts(tmp_path):
    write(tmp_path, ['images/a.jpg', 'masks/a.jpg', 'masks/a.png'])
    _, pairs = found_in(tmp_path)
    assert pairs == {('images/a.jpg', 'a.png')}


def test_names_that_only_agree_without_their_case_are_no_pairs(tmp_path):
    write(tmp_path, ['images/a.png', 'images/A.png', 'masks/a.png', 'masks/A.png'])
    assert not find_pairs(tmp_path).pairs


def test_masks_of_another_kind_are_no_images(tmp_path):
    write(tmp_path, ['images/a.jpg', 'masks/a.png', 'labels/a.png'])
    _, pairs = found_in(tmp_path, tmp_path / 'labels')
    assert pairs == {('images/a.jpg', 'a.png')}


def test_the_folder_of_the_masks_can_be_named(tmp_path):
    write(tmp_path / 'photos', ['a.jpg', 'sub/b.jpg'])
    write(tmp_path / 'elsewhere', ['a.png', 'sub/b.png'])
    _, pairs = found_in(tmp_path / 'photos', tmp_path / 'elsewhere')
    assert pairs == {('a.jpg', 'a.png'), ('sub/b.jpg', 'b.png')}


def test_two_images_of_one_mask_are_refused(tmp_path):
    write(tmp_path, ['images/a.jpg', 'images/a.png', 'masks/a.png'])
    with pytest.raises(DataError, match='would share one mask'):
        find_pairs(tmp_path)
