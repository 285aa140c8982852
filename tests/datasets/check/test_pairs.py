"""Which files are paired, what is said where one is missing, and what bytes mean."""

import copy
import shutil

import numpy as np
import pytest
from own_folder import image_path, label_path, write, write_config, write_own_data
from PIL import Image

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.datasets.check.pairs import ALL


@pytest.mark.parametrize(
    ('suffix', 'said'),
    [
        ('.jpg', " and found 'val1.jpg', whose values compression changed"),
        ('.bmp', " and found 'val1.bmp': save it as .png"),
        (None, ''),
    ],
)
def test_a_label_map_of_another_format_is_named(suffix, said, tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    labels = label_path(root, 'val', 1)
    if suffix:
        Image.open(labels).convert('L').save(labels.with_suffix(suffix))
    labels.unlink()
    result = check_config(load_config(write_config(tmp_path / 'mine.py', root)))
    (found,) = result.faults
    assert found.kind == 'missing label map'
    assert found.path == str(image_path(root, 'val', 1))
    assert found.detail == f"looked for '{labels}'{said}"


def test_a_test_part_of_its_own_is_read_too(tmp_path):
    root = write_own_data(tmp_path / 'rooms')
    cfg = load_config(write_config(tmp_path / 'mine.py', root))
    names = [part.name for part in check_config(cfg, splits=ALL).parts]
    assert names == ['train', 'val']  # it tests on val
    cfg.test_dataloader = copy.deepcopy(cfg.test_dataloader)
    folders = {'img_path': 'images/test', 'seg_map_path': 'labels/test'}
    cfg.test_dataloader.dataset.data_prefix = folders
    shutil.copytree(root / 'images/train', root / 'images/test')
    shutil.copytree(root / 'labels/train', root / 'labels/test')
    faults = check_config(cfg, splits=ALL).faults
    assert [(f.kind, f.part) for f in faults] == [('in two parts', 'test')] * 4
    cfg.test_dataloader.dataset.pipeline = cfg.test_pipeline[:2]  # images alone
    assert not check_config(cfg, splits=ALL).faults


def test_an_image_beside_its_label_maps_is_not_taken_for_one(tmp_path):
    root = write_own_data(tmp_path / 'rooms', suffix='.jpg')
    image, labels = image_path(root, 'val', 1, '.jpg'), label_path(root, 'val', 1)
    labels.unlink()
    image = image.rename(labels.with_suffix('.jpg'))
    cfg = load_config(write_config(tmp_path / 'mine.py', root))
    cfg.val_dataloader.dataset.data_prefix.img_path = 'labels/val'
    cfg.val_dataloader.dataset.img_suffix = '.jpg'
    found = [f for f in check_config(cfg).faults if f.kind == 'missing label map']
    assert [fault.detail for fault in found] == [f"looked for '{labels}'"]


def test_reduced_labels_are_counted_as_the_training_sees_them(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=1, val=1)
    labels = np.repeat(np.uint8([0] * 5 + [1] * 3 + [255]), 96).reshape(9, 96)
    write(image_path(root, 'train', 0), np.zeros((9, 96, 3), np.uint8))
    write(label_path(root, 'train', 0), labels)
    config = write_config(tmp_path / 'mine.py', root, reduce_zero_label=True)
    share = check_config(load_config(config)).shares['train']
    assert (share.pixels / 96).tolist() == [3, 0, 0]
    assert share.ignored / 96 == 6


@pytest.mark.parametrize('several', [False, True])
def test_a_loss_that_ignores_what_no_byte_can_hold_changes_nothing(several, tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=1)
    labels = np.full((80, 96), 255, np.uint8)
    labels[:20] = 1
    write(label_path(root, 'train', 0), labels)
    cfg = load_config(write_config(tmp_path / 'mine.py', root))
    cfg.model.decode_head.ignore_index = -1
    if several:  # as of a cascade
        cfg.model.decode_head = [cfg.model.decode_head]
    assert check_config(cfg).shares['train'].ignored == 60 * 96


def test_a_choice_of_classes_is_counted_in_its_own_order(streets):
    cfg = load_config('sctnet-t-streets')
    loaders = (cfg.train_dataloader, cfg.val_dataloader)
    for loader in loaders:
        loader.dataset.data_root = str(streets)
    result = check_config(cfg)
    assert {fault.kind for fault in result.serious} == {'class without a pixel'}
    assert [len(part.pairs) for part in result.parts] == [2, 2]
    road, sidewalk = result.shares['train'].pixels[:2].tolist()
    assert road != sidewalk
    for loader in loaders:
        loader.dataset.metainfo = {'classes': ('sidewalk', 'road')}
    assert check_config(cfg).shares['train'].pixels.tolist() == [sidewalk, road]
