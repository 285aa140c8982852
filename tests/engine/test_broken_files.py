"""A broken file is left out of a training, named and counted; too many stop it."""

import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement
from mmseg.registry import DATASETS
from own_folder import CLASSES, image_path, label_path, truncate, write, write_own_data

from sctnet.datasets.own import FolderDataset
from sctnet.engine.broken_files import BrokenFileCount, SoundLoader
from sctnet.engine.train_loop import SeededSamples
from sctnet.errors import DataError

PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'LoadAnnotations'},
    {'type': 'PackSegInputs'},
]


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path, train=4)


def dataset(root, part='train', suffix='.png'):
    folders = {'img_path': f'images/{part}', 'seg_map_path': f'labels/{part}'}
    return FolderDataset(
        data_root=str(root),
        data_prefix=folders,
        metainfo={'classes': CLASSES},
        pipeline=PIPELINE,
        img_suffix=suffix,
    )


def name(sample):
    return sample['data_samples'].img_path.rpartition('/')[2]


def cut_image(root):
    truncate(image_path(root, 'train', 1))
    return image_path(root, 'train', 1), 'truncated'


def cut_labels(root):
    truncate(label_path(root, 'train', 1), 0.4)
    return label_path(root, 'train', 1), 'truncated'


def lose_image_after_listing(root):
    image_path(root, 'train', 1).unlink()
    return image_path(root, 'train', 1), 'no such file'


def shrink_labels(root):
    write(label_path(root, 'train', 1), np.zeros((40, 48), np.uint8))
    return label_path(root, 'train', 1), 'label map 48x40'


@pytest.mark.parametrize(
    'damage', [cut_image, cut_labels, lose_image_after_listing, shrink_labels]
)
def test_next_sound_sample_stands_in_and_names_the_file(root, damage):
    data = dataset(root)
    data.full_init()
    path, detail = damage(root)
    loader = SoundLoader(data)
    sample = loader.load(1)
    assert name(sample) == 'train2.png'
    ((skipped, why),) = sample['data_samples'].skipped_files
    assert skipped == str(path)
    assert detail in why
    assert 'skipped_files' not in loader.load(2)['data_samples']


def test_a_truncated_jpeg_which_opencv_fills_with_grey_is_left_out(root):
    for number in range(4):
        path = image_path(root, 'train', number)
        write(path.with_suffix('.jpg'), cv2.imread(str(path)))
    cut = image_path(root, 'train', 3, '.jpg')
    truncate(cut)
    assert cv2.imread(str(cut)) is not None
    sample = SoundLoader(dataset(root, suffix='.jpg')).load(3)
    assert name(sample) == 'train0.jpg'  # after the last comes the first


def test_errors_that_no_file_explains_are_raised_as_they_are(root):
    data = dataset(root)
    data.pipeline.transforms.append(lambda results: results['misspelt'])
    with pytest.raises(KeyError, match='misspelt'):
        SoundLoader(data).load(0)


def test_a_data_set_that_is_broken_all_over_stops(root):
    for number in range(4):
        truncate(image_path(root, 'train', number))
    with pytest.raises(DataError, match='4 files in a row are broken'):
        SoundLoader(dataset(root)).load(0)


def test_a_sample_that_cannot_tell_what_it_stands_in_for_is_not_used(root):
    truncate(image_path(root, 'train', 1))
    data = dataset(root)
    data.pipeline.transforms[-1] = lambda results: results['img']
    with pytest.raises(DataError, match=r"train1\.png' is broken"):
        SoundLoader(data).load(1)


def test_a_data_set_that_names_no_files_is_used_as_it_is():
    assert SoundLoader([5, 6]).load(1) == 6


def test_numbered_samples_skip_the_same_in_every_run(root):
    truncate(image_path(root, 'train', 1))
    a, b = (SeededSamples(dataset(root), seed=3)[1, 7] for _ in range(2))
    assert name(a) == name(b) == 'train2.png'
    assert torch.equal(a['inputs'], b['inputs'])
    assert name(SeededSamples(dataset(root), seed=3)[1]) == 'train2.png'


def batch(*skipped):
    sample = BaseDataElement()
    if skipped:
        sample.set_metainfo({'skipped_files': [(path, 'cut') for path in skipped]})
    return {'data_samples': [BaseDataElement(), sample]}


def count(data, max_share):
    logger = logging.getLogger('broken')
    loader = SimpleNamespace(dataset=data)
    return BrokenFileCount(
        SimpleNamespace(logger=logger, train_dataloader=loader), max_share
    )


def test_each_file_is_logged_once_and_too_many_stop_the_run(caplog):
    counter = count(range(100), 0.02)
    counter.look_at(batch())
    counter.look_at(batch('a'))
    counter.look_at(batch('a', 'b'))
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert "'a' (cut), 1 of 100" in said[0]
    assert "'b' (cut), 2 of 100" in said[1]
    counter.summarise()
    assert '2 broken files were skipped: a, b' in caplog.records[-1].message
    with pytest.raises(DataError, match=r"3 of 100 .*'c'.*max_broken_share=0\.02"):
        counter.look_at(batch('c'))


def test_a_repeated_data_set_counts_its_files_once(root, caplog):
    repeated = {'type': 'RepeatDataset', 'dataset': dataset(root), 'times': 5}
    count(DATASETS.build(repeated), 0.5).look_at(batch('a'))
    assert "'a' (cut), 1 of 4" in caplog.records[0].message


@pytest.mark.parametrize('wrapper', ['RepeatDataset', 'ConcatDataset'])
def test_wrapped_data_sets_are_skipped_in_too(root, wrapper):
    truncate(image_path(root, 'train', 1))
    inner = dataset(root)
    more = {'times': 3} if wrapper == 'RepeatDataset' else {}
    one = {'dataset': inner, **more} if more else {'datasets': [inner, inner]}
    data = DATASETS.build({'type': wrapper, **one})
    assert name(SoundLoader(data).load(5)) == 'train2.png'
