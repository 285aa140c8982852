"""Label maps are looked at as their files have them, before a crop loses a part."""

import cv2
import numpy as np
import pytest
from mmseg.registry import TRANSFORMS
from own_folder import CLASSES, dataset_config, label_path, write, write_own_data

from sctnet.engine.label_range import LabelRange
from sctnet.engine.loaded_labels import LoadedLabels, look_at_labels
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import BrokenFileError, DataError

LABELS = LabelRange(len(CLASSES))
LOAD = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]
PACK = {'type': 'PackSegInputs'}


@TRANSFORMS.register_module()
class NineIsTwo:
    """A step of a user's own, which makes his labels classes."""

    def __call__(self, results):
        values = results['gt_seg_map']
        return {**results, 'gt_seg_map': np.where(values == 9, 2, values)}


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path, train=2, val=2)


def dataset(root, *steps, labels=LABELS):
    own = dataset_config(root, pipeline=[*LOAD, *steps, PACK])
    return SeededDataset(own, labels=labels)


def stored(root):
    path = label_path(root, 'train', 1)
    return path, cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_a_label_in_the_corner_that_a_crop_loses_is_found(root):
    path, values = stored(root)
    values[0, 0] = 9
    write(path, values)
    with pytest.raises(DataError, match=rf"'{path}' has labels \[9\] outside"):
        dataset(root, {'type': 'RandomCrop', 'crop_size': (8, 8)})[1]
    crop, ours = {'type': 'RandomCrop', 'crop_size': (8, 8)}, {'type': 'NineIsTwo'}
    for steps in (
        [ours, crop],
        [crop, ours],
        [{'type': 'RandomFlip', 'prob': 0.5}, ours],
    ):
        dataset(root, *steps)[1]
    among = {'type': 'RandomApply', 'transforms': [ours], 'prob': 1.0}
    dataset(root, among)[1]


@TRANSFORMS.register_module()
class LoadFloats:
    """Loads label maps as floats, as mmseg does those of volumes."""

    def __call__(self, results):
        values = cv2.imread(results['seg_map_path'], cv2.IMREAD_UNCHANGED)
        results['seg_fields'].append('gt_seg_map')
        return {**results, 'gt_seg_map': values.astype(np.float32)}


LoadFloats.__module__ = 'mmseg.datasets.transforms.loading'


def test_floats_are_labels_as_mmseg_packs_them(root):
    own = dataset(root).dataset
    own.pipeline.transforms[1] = LoadFloats()
    SeededDataset(own, labels=LABELS)[1]
    path, values = stored(root)
    values[0, 0] = 9
    write(path, values)
    with pytest.raises(DataError, match=r'labels \[9\] outside'):
        SeededDataset(own, labels=LABELS)[1]


def test_sixteen_bits_hold_what_eight_do_or_are_refused(root):
    path, values = stored(root)
    wide = values.astype(np.uint16)
    write(path, wide)
    sample = dataset(root)[1]['data_samples'].gt_sem_seg.data
    assert np.array_equal(sample[0].numpy(), values)
    wide[2, 3] = 65535  # which mmseg reads as 255
    write(path, wide)
    assert 255 in dataset(root)[1]['data_samples'].gt_sem_seg.data
    wide[2, 3] = 256  # and this as 0
    write(path, wide)
    with pytest.raises(DataError, match=rf"'{path}' has labels up to 256, .* 8 bits"):
        dataset(root)[1]


def test_colours_are_named_as_what_they_are(root):
    path, values = stored(root)
    write(path, np.stack([values] * 3, axis=2))
    with pytest.raises(BrokenFileError, match=r'3 channels: .* sctnet convert colours'):
        dataset(root)[1]


def test_it_comes_once_into_each_pipeline_and_goes_again(root):
    own = dataset(root, {'type': 'RandomCrop', 'crop_size': (8, 8)})
    steps = own.dataset.pipeline.transforms
    kinds = [type(step).__name__ for step in steps]
    assert kinds.index('LoadedLabels') == kinds.index('RandomCrop') - 1
    look_at_labels([own.dataset], LABELS)
    assert [type(step).__name__ for step in steps] == kinds
    SeededDataset(own.dataset)
    assert not any(isinstance(step, LoadedLabels) for step in steps)


def test_a_test_time_augmentation_is_looked_into(root):
    path, values = stored(root)
    wide = values.astype(np.uint16)
    wide[2, 3] = 256
    write(path, wide)
    own = dataset(root).dataset
    own.pipeline.transforms = own.pipeline.transforms[:1]
    flips = [{'type': 'RandomFlip', 'prob': p} for p in (0.0, 1.0)]
    loads = [{'type': 'LoadAnnotations'}]
    own.pipeline.transforms.append(
        TRANSFORMS.build({'type': 'TestTimeAug', 'transforms': [flips, loads, [PACK]]})
    )
    with pytest.raises(DataError, match='up to 256'):
        SeededDataset(own, labels=LABELS)[1]


def test_a_file_of_bytes_is_decoded_once(root, monkeypatch):
    monkeypatch.setattr('sctnet.engine.loaded_labels.read_labels', None)
    dataset(root)[1]
