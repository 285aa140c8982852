"""Published archives to the folders that the configs name."""

import importlib.util
from pathlib import Path

import mmseg
import numpy as np
import pytest
from archive_sources import (
    SBD_LABELS,
    STORED,
    TRAIN_IDS,
    ade,
    cityscapes,
    coco_stuff,
    labels_at,
    mat,
    sbd_mat,
)
from conversion_sources import HEIGHT, LARGE, SMALL, WIDTH, expected, made
from mmseg.registry import DATASETS

from sctnet.catalog import load_config
from sctnet.datasets.prepare.prepare_dataset import prepare
from sctnet.datasets.prepare.published import voc12
from sctnet.datasets.prepare.published.coco_stuff10k import draw_labels
from sctnet.engine.launch import set_data_root
from sctnet.errors import DataError


def test_ade20k_is_unpacked_as_it_is(tmp_path):
    result = prepare('ade20k', [ade(tmp_path / 'a.zip')], tmp_path / 'data', workers=0)
    root = tmp_path / 'data/ade/ADEChallengeData2016'
    assert result.root == root
    assert made(tmp_path / 'data/ade') == [
        f'ADEChallengeData2016/{name}'
        for name in (
            'annotations/training/ADE_train_00000001.png',
            'annotations/validation/ADE_val_00000001.png',
            'images/training/ADE_train_00000001.jpg',
            'images/validation/ADE_val_00000001.jpg',
            'objectInfo150.txt',
        )
    ]
    labels = labels_at(root / 'annotations/training/ADE_train_00000001.png')
    np.testing.assert_array_equal(labels, expected((LARGE, 150)))


@pytest.mark.parametrize('head', ['', 'cocostuff-10k-v1.1/'])
def test_coco_stuff_becomes_the_train_ids_of_mmseg(tmp_path, head):
    archive = coco_stuff(tmp_path / 'c.zip', head)
    result = prepare('coco_stuff10k', [archive], tmp_path / 'data', workers=0)
    assert made(result.root) == [
        'annotations/test2014/COCO_train2014_000000000078_labelTrainIds.png',
        'annotations/train2014/COCO_train2014_000000000077_labelTrainIds.png',
        'images/test2014/COCO_train2014_000000000078.jpg',
        'images/train2014/COCO_train2014_000000000077.jpg',
    ]
    (labels, *_) = sorted(result.root.rglob('*.png'))
    np.testing.assert_array_equal(labels_at(labels), TRAIN_IDS)


def test_every_label_of_coco_stuff_is_as_in_mmsegs_converter():
    path = (
        Path(mmseg.__file__).parent / '.mim/tools/dataset_converters/coco_stuff10k.py'
    )
    spec = importlib.util.spec_from_file_location('theirs', path)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    stored = np.array([list(theirs.clsID_to_trID)], np.uint16)
    ours = draw_labels(mat(stored), 'x.mat')
    assert ours.dtype == np.uint8
    assert ours[0].tolist() == list(theirs.clsID_to_trID.values())
    for unused in set(range(260)) - set(theirs.clsID_to_trID):
        with pytest.raises(DataError, match=rf'has labels \[{unused}\] in shape'):
            draw_labels(mat(np.array([[1, unused]], np.uint16)), 'x.mat')


def test_cityscapes_gets_train_ids_as_its_own_script_makes_them(tmp_path):
    archives = cityscapes(tmp_path)
    result = prepare('cityscapes', archives[::-1], tmp_path / 'data', workers=0)
    root = tmp_path / 'data/cityscapes'
    assert result.written == 3 + 6 + 2
    made_maps = sorted(root.rglob('*_labelTrainIds.png'))
    assert [path.relative_to(root).parts[1] for path in made_maps] == ['train', 'val']
    from cityscapesscripts.preparation.json2labelImg import json2labelImg

    polygons = root / 'gtFine/train/aachen/aachen_000000_000019_gtFine_polygons.json'
    json2labelImg(str(polygons), str(tmp_path / 'theirs.png'), 'trainIds')
    ours = labels_at(made_maps[0])
    np.testing.assert_array_equal(ours, labels_at(tmp_path / 'theirs.png'))
    drawn = expected((LARGE, 0), (SMALL, 13), fill=255)
    np.testing.assert_array_equal(ours, drawn)


def test_one_archive_is_enough_where_the_other_was_unpacked(tmp_path):
    images, fine = cityscapes(tmp_path)
    with pytest.raises(DataError, match='nothing holds the folder gtFine'):
        prepare('cityscapes', [images], tmp_path / 'data', workers=0)
    (tmp_path / 'data/cityscapes/gtFine').mkdir(parents=True)
    assert prepare('cityscapes', [images], tmp_path / 'data', workers=0).written == 3
    assert prepare('cityscapes', [fine], tmp_path / 'data', workers=0).written == 8


@pytest.mark.parametrize(
    ('dataset', 'config', 'archives'),
    [
        ('ade20k', 'sctnet-s-ade', lambda path: [ade(path / 'a.zip')]),
        ('coco_stuff10k', 'sctnet-b-coco', lambda path: [coco_stuff(path / 'a.zip')]),
        ('cityscapes', 'sctnet-s-seg50', cityscapes),
    ],
)
def test_the_configs_find_what_was_prepared(tmp_path, dataset, config, archives):
    result = prepare(dataset, archives(tmp_path), tmp_path / 'data', workers=2)
    cfg = load_config(config)
    assert tmp_path / cfg.train_dataloader.dataset.data_root == result.root
    set_data_root(cfg, str(result.root))
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.pipeline = [
            {'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'},
        ]  # fmt: skip
        (sample,) = DATASETS.build(loader.dataset)
        labels = sample['gt_seg_map']
        assert labels.shape == (HEIGHT, WIDTH)
        if dataset == 'coco_stuff10k':
            assert np.unique(labels).tolist() == [11, 170, 255]


@pytest.mark.parametrize(
    ('draw', 'data'),
    [
        (draw_labels, b''),
        (draw_labels, mat(STORED)[:200]),
        (draw_labels, mat(np.zeros((2, 2, 2), np.uint8))),
        (voc12.draw_labels, b'MATLAB'),
        (voc12.draw_labels, sbd_mat(SBD_LABELS)[:300]),
        (voc12.draw_labels, sbd_mat(np.full((2, 2), 21, np.uint8))),
    ],
)
def test_a_damaged_mat_file_is_named(draw, data):
    with pytest.raises(DataError, match=r"'x\.mat' .*download the archive again"):
        draw(data, 'x.mat')
