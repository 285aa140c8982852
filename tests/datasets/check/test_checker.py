"""Each fault that a data set can have is found, named, and nothing else."""

import json
from collections import Counter

import cv2
import numpy as np
import pytest
from own_folder import (
    claim_size,
    image_path,
    label_path,
    write,
    write_config,
    write_own_data,
)

from sctnet.catalog import load_config
from sctnet.datasets.check import check_config
from sctnet.datasets.check.report import as_json, print_summary, write_json
from sctnet.datasets.images import MAX_PIXELS
from sctnet.errors import ArgumentError, ConfigError, DataError


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path / 'rooms', train=6, val=3)


def config(root, **more):
    return load_config(write_config(root.parent / 'mine.py', root, **more))


def kinds(result):
    return Counter(fault.kind for fault in result.faults)


def test_a_sound_data_set_has_no_faults_and_its_pixels_are_counted(root):
    labels = np.zeros((80, 96), np.uint8)
    labels[:, :7] = 255
    write(label_path(root, 'train', 3), labels)
    result = check_config(config(root), workers=2)
    assert not result.faults
    share = result.shares['train']
    assert share.read == 6
    assert share.sizes == {(96, 80): 6}
    rows = [5 * 30 + 80, 5 * 25, 5 * 25]  # stripes of 5 rows in turn
    assert share.ignored == 80 * 7
    assert share.pixels.tolist() == [96 * rows[0] - 80 * 7, *(96 * n for n in rows[1:])]
    assert share.images.tolist() == [6, 5, 5]


def test_labels_shifted_by_one_are_found_with_their_cure(tmp_path):
    root = write_own_data(tmp_path / 'rooms', shift=1)
    result = check_config(config(root))
    shifted = [fault for fault in result.faults if fault.kind == 'shifted labels']
    assert [fault.part for fault in shifted] == ['train', 'val']
    assert 'run from 1 to 3' in shifted[0].detail
    assert 'reduce_zero_label=True' in shifted[0].detail
    assert kinds(result)['labels outside'] == 6
    outside = [f.detail for f in result.faults if f.kind == 'labels outside']
    assert set(outside) == {'value 3 in 31.2 % of its pixels'}
    assert 'class never seen' not in kinds(result)  # 0 is one, by the shift
    assert not check_config(config(root, reduce_zero_label=True)).faults


def test_a_class_that_is_not_named_is_no_shift_alone(root):
    result = check_config(config(root, classes=('floor', 'wall')))
    assert set(kinds(result)) == {'one label too many', 'labels outside'}
    said = result.faults[0]
    assert 'run from 0 to 2, the 2 classes from 0 to 1: name one more' in said.detail
    assert 'or set reduce_zero_label=True if 0 is unlabelled' in said.detail
    assert said.remedy == 'correct classes or reduce_zero_label as said'


def test_16_bit_values_and_a_class_without_pixels_are_found(root):
    write(label_path(root, 'train', 2), np.full((80, 96), 300, np.uint16))
    result = check_config(config(root, classes=('floor', 'wall', 'door', 'lamp')))
    unseen = {'class without a pixel': 1, 'class never seen': 1}
    assert kinds(result) == {'labels outside': 1, **unseen}
    detail = {fault.kind: fault.detail for fault in result.faults}
    assert 'value 300, more than a byte' in detail['labels outside']
    assert [f.path for f in result.faults if f.kind in unseen] == ['lamp', 'lamp']


def test_a_label_map_of_nothing_is_no_mask_of_0_and_255(root):
    for part, number in (('train', 1), ('val', 1)):
        write(label_path(root, part, number), np.full((80, 96), 255, np.uint8))
    for part, count in (('train', 6), ('val', 3)):
        for number in range(count):
            labels = cv2.imread(str(label_path(root, part, number)), -1)
            write(label_path(root, part, number), np.where(labels == 2, 1, labels))
    assert kinds(check_config(config(root, classes=('a', 'b')))) == {
        'empty label map': 2
    }


def test_labels_that_may_be_shifted_are_a_warning(tmp_path):
    low = write_own_data(tmp_path / 'low', classes=2, shift=1)
    result = check_config(config(low))
    unseen = {'class without a pixel': 1, 'class never seen': 1}
    assert kinds(result) == {'perhaps shifted': 2, **unseen}
    assert [fault.path for fault in result.serious] == ['floor']
    full = write_own_data(tmp_path / 'full')
    result = check_config(config(full, reduce_zero_label=True))
    details = [f.detail for f in result.faults if f.kind == 'perhaps shifted']
    assert len(details) == 2
    assert 'reduce_zero_label=False' in details[0]


def test_a_concatenated_data_set_is_read_in_all_its_parts(root):
    cfg = config(root)
    inner = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = {
        'type': 'ConcatDataset',
        'datasets': [inner, inner],
    }
    result = check_config(cfg)
    assert [part.name for part in result.parts] == ['train', 'train 2', 'val']
    assert kinds(result) == {'twice': 6}


def test_what_cannot_be_checked_is_one_sentence(root):
    with pytest.raises(ArgumentError, match='--workers is -1'):
        check_config(config(root), workers=-1)
    for key, value, error, said in (
        ('train_dataloader.dataset.misspelt', 1, ConfigError, 'misspelt'),
        ('val_dataloader.dataset.data_root', 'x', DataError, "no folder 'x/images"),
    ):
        cfg = config(root)
        cfg.merge_from_dict({key: value})
        with pytest.raises(error, match=said):
            check_config(cfg)


def test_json_holds_figures_and_faults(root, tmp_path):
    labels = cv2.imread(str(label_path(root, 'train', 2)), cv2.IMREAD_UNCHANGED)
    labels[0, 0] = 77
    write(label_path(root, 'train', 2), labels)
    result = check_config(config(root))
    write_json(result, tmp_path / 'check.json')
    read = json.loads((tmp_path / 'check.json').read_text())
    assert read == as_json(result)
    assert read['verdict'] == '1 fault, no warnings'
    assert read['faults'][0]['kind'] == 'labels outside'
    assert read['faults'][0]['detail'] == 'value 77 in 0.013 % of its pixels'
    assert read['parts']['train']['classes'][1]['images'] == 6


def test_summary_prints_every_name_as_it_is(root, capsys):
    image_path(root, 'train', 2).rename(root / 'images/train/[b]:smile:.png')
    classes = ('[/]', '[red]wall[/red]', ':door:', 'lamp[')
    print_summary(check_config(config(root, classes=classes)))
    printed = capsys.readouterr().out
    for text in (*classes, '[b]:smile:.png', 'class never seen: 1', '2 faults, 2 w'):
        assert text in printed


def test_a_label_map_that_claims_too_much_is_not_decoded(root):
    path = label_path(root, 'train', 0)
    claim_size(path, 20_000, 20_000)
    (fault,) = check_config(config(root)).faults
    assert fault.kind == 'broken label map'
    assert fault.detail == f'claims more than {MAX_PIXELS:,} pixels'


def test_a_void_class_within_the_labels_is_no_fault(root):
    cfg = config(root, classes=('floor', 'wall'))
    assert kinds(check_config(cfg))['one label too many'] == 2
    cfg.model.decode_head.ignore_index = 2
    assert not check_config(cfg).faults
    cfg.model.decode_head.ignore_index = 255
    for loader in ('train', 'val'):
        cfg[f'{loader}_dataloader'].dataset.ignore_index = 2
    assert not check_config(cfg).faults


def test_an_empty_folder_is_a_fault(root):
    for file in (root / 'images' / 'val').iterdir():
        file.unlink()
    result = check_config(config(root))
    assert kinds(result) == {'no images': 1, 'label map alone': 3}
    assert result.serious[0].path.endswith('images/val')
