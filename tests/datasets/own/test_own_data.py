"""A folder of one's own: its pairs, and a config of ten lines that trains on it."""

from pathlib import Path

import numpy as np
import pytest
from mmseg.registry import DATASETS, MODELS
from own_folder import (
    CLASSES,
    image_path,
    label_path,
    write_config,
    write_own_data,
)

from sctnet.catalog import load_config
from sctnet.datasets.overlay import distinct_colours
from sctnet.datasets.own import FolderDataset
from sctnet.engine.launch import merge_options, set_data_root
from sctnet.engine.preflight import check_data
from sctnet.errors import ConfigError, DataError

BASES = ('student_t', 'student_s', 'student_b', 'teacher_t', 'teacher_b2', 'teacher_b3')


def dataset(root, part='train', **more):
    folders = {'img_path': f'images/{part}', 'seg_map_path': f'labels/{part}'}
    meta = {'classes': CLASSES}
    return FolderDataset(
        data_root=str(root), data_prefix=folders, metainfo=meta, **more
    )


def test_images_of_all_formats_and_sub_folders_find_their_label_maps(tmp_path):
    root = write_own_data(tmp_path, train=2, val=1)
    for kind, suffix in (('images', '.JPG'), ('labels', '.png')):
        source = (root / kind / 'train').glob('*0.png')
        target = root / kind / 'train' / 'deep' / f'photo.v2{suffix}'
        target.parent.mkdir()
        next(source).rename(target)
    (root / 'images' / 'train' / '.hidden.png').write_text('')
    (root / 'images' / 'train' / 'notes.txt').write_text('')
    found = [dataset(root).get_data_info(i) for i in range(2)]
    assert [info['img_path'] for info in found] == [
        str(root / 'images/train/deep/photo.v2.JPG'),
        str(root / 'images/train/train1.png'),
    ]
    assert found[0]['seg_map_path'] == str(root / 'labels/train/deep/photo.v2.png')
    assert found[1]['reduce_zero_label'] is False


def test_what_makes_no_pairs_is_one_sentence(tmp_path):
    root = write_own_data(tmp_path, train=3, val=1)
    label_path(root, 'train', 1).unlink()
    with pytest.raises(DataError, match=r'1 of 3 .*train1\.png.*looked for .*labels'):
        len(dataset(root))
    twin = image_path(root, 'val', 0, '.jpg')
    twin.write_bytes(b'')
    with pytest.raises(DataError, match=r"val0\.jpg' and .*val0\.png.* share one"):
        len(dataset(root, 'val'))
    (root / 'images' / 'none').mkdir()
    with pytest.raises(DataError, match='has no image'):
        len(dataset(root, 'none'))


def test_a_list_names_the_images_and_what_it_lacks_is_said(tmp_path):
    root = write_own_data(tmp_path, train=3, val=1)
    (root / 'some.txt').write_text('train2\ntrain0\n')
    data = dataset(root, ann_file='some.txt')
    names = [Path(data.get_data_info(i)['img_path']).name for i in range(len(data))]
    assert names == ['train2.png', 'train0.png']
    (root / 'some.txt').write_text('train7\n')
    with pytest.raises(DataError, match=r"lists 1 images that are not .* 'train7'"):
        len(dataset(root, ann_file='some.txt'))
    with pytest.raises(DataError, match='cannot be read'):
        len(dataset(root, ann_file='none.txt'))
    label_path(root, 'val', 0).rename(root / 'labels/val/val0_mask.png')
    info = dataset(root, 'val', seg_map_suffix='_mask.png').get_data_info(0)
    assert info['seg_map_path'].endswith('val0_mask.png')


def test_missing_folders_are_named_before_a_training(tmp_path):
    root = write_own_data(tmp_path / 'rooms', train=1, val=1, suffix='.JPG')
    check_data(load_config(write_config(tmp_path / 'a.py', root)), ['train_dataloader'])
    cfg = load_config(write_config(tmp_path / 'b.py', tmp_path / 'none'))
    with pytest.raises(DataError, match=r"none' has no folder 'images/train'"):
        check_data(cfg, ['train_dataloader'])


def test_a_whole_own_data_and_another_schedule_are_taken(tmp_path):
    path = write_config(tmp_path / 'mine.py', 'data')
    text = path.read_text().replace('own_data.update(', 'own_data = dict(')
    text = text.replace('    crop=(64, 64),\n', '')
    path.write_text(text + "param_scheduler = [dict(type='PolyLR', end=9)]\n")
    cfg = load_config(path)
    assert tuple(cfg.own_data.crop) == (512, 512)
    assert 'max_iters' not in cfg.param_scheduler[0]
    set_data_root(cfg, 'elsewhere')
    merge_options(cfg, {'own_data.batch': 4})
    assert cfg.train_dataloader.dataset.data_root == 'elsewhere'


def test_own_data_reaches_every_place_of_the_config(tmp_path):
    path = write_config(
        tmp_path / 'mine.py',
        'data/rooms',
        'student_s',
        crop=(96, 128),
        iterations=500,
        batch=3,
        reduce_zero_label=True,
    )
    cfg = load_config(path)
    for loader, part in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        data = cfg[f'{loader}_dataloader'].dataset
        assert data.data_root == 'data/rooms'
        assert data.data_prefix.seg_map_path == f'labels/{part}'
        assert data.metainfo.classes == CLASSES
        assert len(data.metainfo.palette) == 3
        assert data.reduce_zero_label is True
    assert cfg.model.decode_head.num_classes == 3
    assert cfg.model.auxiliary_head.num_classes == 3
    assert tuple(cfg.model.data_preprocessor.size) == (96, 128)
    steps = cfg.train_dataloader.dataset.pipeline
    assert tuple(steps[2].scale) == (384, 96)
    assert tuple(steps[3].crop_size) == (96, 128)
    assert tuple(cfg.test_dataloader.dataset.pipeline[1].scale) == (384, 96)
    assert tuple(cfg.tta_pipeline[1].transforms[0][0].scale) == (192, 48)
    assert cfg.train_dataloader.batch_size == 3
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (500, 50)
    assert cfg.default_hooks.checkpoint.interval == 50
    assert cfg.default_hooks.logger.interval == 25
    assert 'max_iters' not in cfg.param_scheduler[0]  # it is as long as the loop
    assert cfg.param_scheduler[0].warmup_iters == 50


@pytest.mark.parametrize('base', BASES)
def test_every_base_builds(base, tmp_path):
    cfg = load_config(write_config(tmp_path / 'mine.py', tmp_path, base))
    assert MODELS.build(cfg.model).decode_head.num_classes == 3
    assert cfg.train_cfg.max_iters == 20000
    assert DATASETS.get('FolderDataset') is FolderDataset


NAMES = '2 to 255 different names'
COLOURS = r'one \(R, G, B\) of integers 0 to 255 for each class'
WRONG = [
    ('root', '', 'own_data.root'),
    ('classes', ('one',), NAMES),
    ('classes', ('a', 'a'), NAMES),
    ('classes', 'floor', NAMES),
    ('classes', (0, 1, 2), NAMES),
    ('crop', (100, 100), 'multiples of 32'),
    ('crop', 512, 'multiples of 32'),
    ('iterations', 0, 'from 1 on'),
    ('iterations', True, 'from 1 on'),
    ('batch', '4', 'own_data.batch'),
    ('palette', [[0, 0, 0]], COLOURS),
    ('palette', 'red', COLOURS),
    ('palette', ['red', 'green', 'blue'], COLOURS),
    ('palette', [[0, 0]] * 3, COLOURS),
    ('palette', [[0, 0, 256]] * 3, COLOURS),
    ('palette', [[0, 0, 0.5]] * 3, COLOURS),
    ('reduce_zero_label', 'maybe', 'own_data.reduce_zero_label is .* True .* or False'),
    ('clases', ('a', 'b'), "did you mean 'classes'"),
]


@pytest.mark.parametrize(('key', 'value', 'message'), WRONG)
def test_a_value_that_cannot_be_says_so(key, value, message, tmp_path):
    more = {'root': 'data', 'classes': CLASSES, key: value}
    path = write_config(tmp_path / 'mine.py', **more)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_own_data_that_is_no_dict_is_refused(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text('own_data = 5\n')
    with pytest.raises(ConfigError, match=r'own_data is 5: .* root and classes'):
        load_config(path)
    cfg = load_config(write_config(tmp_path / 'sound.py', 'data'))
    with pytest.raises(ConfigError, match=r'own_data=5 names no key of it: .*\.root='):
        merge_options(cfg, {'own_data': 5})
    with pytest.raises(ConfigError, match='has no own_data to change'):
        merge_options(load_config('sctnet-s-ade'), {'own_data': 5})
    path.write_text("own_data = dict(root='data', classes=('a', 'b'))\n")
    with pytest.raises(ConfigError, match=r"mine\.py' has own_data and no base for it"):
        load_config(path)


def test_a_palette_reaches_the_data_sets(tmp_path):
    colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    path = write_config(tmp_path / 'mine.py', 'data', palette=colours)
    cfg = load_config(path)
    numbers = [tuple(np.uint8(colours)[i]) for i in range(3)]
    for own in ({}, {'own_data.palette': numbers}):
        merge_options(cfg, own)
        assert repr(cfg.val_dataloader.dataset.metainfo.palette) == repr(colours)
    merge_options(cfg, {'own_data.palette': []})
    assert cfg.val_dataloader.dataset.metainfo.palette == distinct_colours(3)
    colours = distinct_colours(60)
    assert len({tuple(colour) for colour in colours}) == 60
    assert all(0 <= value <= 255 for colour in colours for value in colour)


def test_options_change_own_data_and_a_written_config_stays_as_it_is(tmp_path):
    cfg = load_config(write_config(tmp_path / 'mine.py', 'data'))
    merge_options(cfg, {'own_data.iterations': 70, 'train_dataloader.batch_size': 5})
    assert cfg.train_cfg.max_iters == 70
    assert cfg.param_scheduler[0].warmup_iters == 7
    assert cfg.train_dataloader.batch_size == 5
    cfg.dump(tmp_path / 'written.py')
    again = load_config(tmp_path / 'written.py')
    assert again.train_dataloader.batch_size == 5
    assert again.train_cfg.max_iters == 70
    # As earlier versions wrote it, with a length of its own.
    again.param_scheduler[0].max_iters = 70
    merge_options(again, {'own_data.iterations': 90})
    assert 'max_iters' not in again.param_scheduler[0]
    with pytest.raises(ConfigError, match='has no own_data'):
        merge_options(load_config('sctnet-s-ade'), {'own_data.root': 'x'})
