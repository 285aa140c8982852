"""What a training looks at before its first iteration, and what stops it there."""

import cv2
import numpy as np
import pytest
from own_folder import (
    image_path,
    label_path,
    truncate,
    write,
    write_config,
    write_own_data,
)

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config, quick_check
from sctnet.errors import DataError


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path / 'rooms', train=6, val=3)


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'sctnet.datasets.check.quick.print_log', lambda text, *_: lines.append(text)
    )
    return lines


def config(root, **more):
    return load_config(write_config(root.parent / 'mine.py', root, **more))


def test_what_a_training_skips_or_survives_is_a_warning(root, logged):
    truncate(image_path(root, 'train', 2))
    truncate(label_path(root, 'train', 3), 0.3)
    same = image_path(root, 'train', 5).read_bytes()
    image_path(root, 'val', 0).write_bytes(same)
    write(label_path(root, 'train', 4), np.full((80, 96), 255, np.uint8))
    quick_check(config(root))
    said = ('broken image', 'broken label map', 'in two parts', 'empty label map')
    assert [line.split(': ')[1] for line in logged] == list(said)


def test_a_loop_that_leaves_nothing_out_is_stopped_by_one_broken_file(root, logged):
    truncate(image_path(root, 'train', 2))
    cfg = config(root)
    cfg.train_cfg = {'by_epoch': True, 'max_epochs': 3}
    with pytest.raises(DataError, match=r"broken image: '.*train2\.png' .*--no-check"):
        quick_check(cfg)
    cfg.train_cfg = {'type': 'LoopOfMine'}
    quick_check(cfg)
    assert logged[-1].startswith('data set, train: broken image: ')


def test_files_of_another_loader_are_no_pictures_to_judge(root, logged):
    cfg = config(root)
    for loader, part in ((cfg.train_dataloader, 'train'), (cfg.val_dataloader, 'val')):
        image_path(root, part, 1).write_bytes(b'an array')
        loader.dataset.pipeline[0] = {'type': 'LoadArrayOfMine'}
    quick_check(cfg)
    assert [line.partition(': ')[0] for line in logged] == [
        'data set, train',
        'data set, val',
    ]


@pytest.mark.parametrize('source', ['', 'FromStore'])
def test_a_broken_file_that_a_validation_would_end_with_stops_it(root, source):
    truncate(label_path(root, 'val', 1), 0.3)
    cfg = config(root)
    if source:
        kinds = (f'{kind}FromStore' for kind in ('LoadImage', 'LoadAnnotations'))
        cfg.val_dataloader.dataset.pipeline = [{'type': kind} for kind in kinds]
    with pytest.raises(
        DataError, match=r"broken label map: '.*val1\.png' .*--no-check"
    ):
        quick_check(cfg)


def test_a_class_never_seen_is_said_where_all_was_read(root, logged):
    cfg = config(root, classes=('a', 'b', 'c', 'rare'))
    quick_check(cfg, pairs=5)
    assert [line for line in logged if 'rare' in line] == [
        "data set, val: class never seen: 'rare' (label 3)"
    ]  # train has one pair more than were read


def test_what_many_files_have_is_one_line_and_an_unseen_class_stops_nothing(
    root, logged
):
    for number in range(3):
        path = image_path(root, 'train', number)
        write(path, cv2.imread(str(path)).astype(np.uint16) * 251)
    quick_check(config(root, classes=('a', 'b', 'c', 'rare')))
    lines = [line.partition(' (')[0].split(': ') for line in logged]
    assert [line[1] for line in lines] == [
        'class without a pixel',
        'bits or bands lost',
        'class never seen',
    ]
    assert logged[1].endswith(' and 2 more')
    assert not logged[0].endswith('more')


def test_few_pairs_are_read_and_all_are_listed(root):
    label_path(root, 'train', 4).unlink()
    truncate(image_path(root, 'train', 5))  # the first and the last are read
    cfg = config(root, classes=('a', 'b', 'c', 'rare'))
    read = check_config(cfg, most=2)
    assert read.shares['train'].read == 2
    assert [fault.kind for fault in read.faults] == [
        'missing label map',
        'broken image',
    ]
    with pytest.raises(DataError, match=r'missing label map: .*train4'):
        quick_check(cfg, pairs=2)


def test_a_data_set_of_another_kind_trains_unchecked(root, logged):
    cfg = config(root)
    cfg.train_dataloader.dataset = {'type': 'BaseDataset'}
    quick_check(cfg)
    assert 'was not checked' in logged[0]


def all_labels_become(root, part, change):
    for path in sorted((root / 'labels' / part).glob('*.png')):
        write(path, change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))


@pytest.mark.parametrize('splits', [('train', 'val'), ('test',)])
def test_masks_of_0_and_255_and_label_maps_of_nothing_stop_it(root, splits):
    all_labels_become(root, 'val', lambda labels: np.where(labels > 1, 255, 0))
    cfg = config(root)
    with pytest.raises(
        DataError, match=r'masks of 0 and 255: .* 1 in the place of 255'
    ):
        quick_check(cfg, splits=splits)
    all_labels_become(root, 'val', lambda labels: np.full_like(labels, 255))
    with pytest.raises(DataError, match=r'nothing labelled: .* \[255\] alone'):
        quick_check(cfg, splits=splits)


def test_masks_are_seen_in_a_test_time_augmentation_and_get_one_remedy(root, logged):
    all_labels_become(root, 'val', lambda labels: np.where(labels > 1, 255, 0))
    cfg = config(root)
    cfg.test_dataloader = {**cfg.test_dataloader}
    cfg.test_dataloader.dataset = {**cfg.test_dataloader.dataset}
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    with pytest.raises(DataError, match='masks of 0 and 255'):
        quick_check(cfg, splits=['test'])
    assert not [line for line in logged if 'shifted' in line]


def test_a_rare_class_beyond_the_first_look_is_found(tmp_path):
    root = write_own_data(tmp_path / 'parts', train=30, val=1)
    all_labels_become(root, 'train', lambda labels: np.where(labels > 1, 255, 0))
    path = label_path(root, 'train', 7)
    marked = np.ones_like(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    write(path, marked)  # by another tool, or with nothing to ignore beside it
    with pytest.raises(DataError, match="masks of 0 and 255: '29 label maps'"):
        quick_check(config(root), pairs=2)
    marked[:5] = 255
    write(path, marked)
    quick_check(config(root), pairs=2)
    path.unlink()
    image_path(root, 'train', 7).unlink()
    with pytest.raises(DataError, match="masks of 0 and 255: 'all label maps'"):
        quick_check(config(root), pairs=2)


def test_a_test_of_images_alone_has_no_labels_to_judge(root):
    all_labels_become(root, 'val', lambda labels: np.full_like(labels, 99))
    cfg = config(root)
    with pytest.raises(DataError, match='labels outside'):
        quick_check(cfg, splits=['test'])
    steps = cfg.test_dataloader.dataset.pipeline
    steps[:] = [step for step in steps if 'LoadAnnotations' not in str(step['type'])]
    quick_check(cfg, splits=['test'])
