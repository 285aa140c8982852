"""Samples follow from their number; broken files are left out, named and counted."""

import pickle
import random
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmseg.registry import DATASETS
from own_folder import CLASSES, image_path, label_path, truncate, write, write_own_data
from torch.utils.data import DataLoader

from sctnet.cli.library_errors import explain_run
from sctnet.datasets.folder_dataset import FolderDataset
from sctnet.engine.runner import Runner
from sctnet.engine.seeded_dataset import NumberedIndex, SeededDataset, seed_everything
from sctnet.errors import DataError

PIPELINE = [
    {'type': 'LoadImageFromFile'},
    {'type': 'LoadAnnotations'},
    {'type': 'PackSegInputs'},
]


class Drawing:
    """Draws from all three generators that augmentations use."""

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index >= 3:
            raise IndexError
        return index, random.random(), np.random.rand(), float(torch.rand(()))

    def __getitems__(self, indices):
        raise AssertionError('batches must go one by one, each with its seed')


def test_seed_and_number_alone_decide_what_is_drawn():
    one, other = SeededDataset(Drawing(), seed=1), SeededDataset(Drawing(), seed=2)
    assert one[NumberedIndex(2, 7)] == one[NumberedIndex(2, 7)]
    assert one[NumberedIndex(2, 7)] != one[NumberedIndex(2, 8)]
    assert one[NumberedIndex(2, 7)] != other[NumberedIndex(2, 7)]
    assert one[NumberedIndex(1, 7)][1:] == one[NumberedIndex(2, 7)][1:]
    copied = pickle.loads(pickle.dumps((one, NumberedIndex(2, 7))))
    assert copied[0][copied[1]] == one[NumberedIndex(2, 7)]
    device = torch.random.get_rng_state  # the devices' seed is the model's
    assert [sample[0] for sample in one] == [0, 1, 2]
    before = device()
    assert one[1][0] == 1
    assert not torch.equal(device(), before)  # a plain index is not seeded
    assert not hasattr(one, '__getitems__')  # which torch would prefer


def test_a_loader_without_a_batch_size_has_batches_of_one(root):
    sampler = {'type': 'DefaultSampler', 'shuffle': False}
    config = {'dataset': dataset(root), 'sampler': sampler}
    loader = Runner.build_dataloader(config)
    assert loader.batch_size == 1
    assert isinstance(loader.dataset.dataset, FolderDataset)  # the user's own
    assert [name({'data_samples': b['data_samples'][0]}) for b in loader][1] == (
        'train1.png'
    )


def test_seeds_of_data_and_model_do_not_meet():
    drawn = set()
    for stream in (0, 1):
        for number in range(50):
            seed_everything(5, stream, number)
            drawn.add((np.random.rand(), float(torch.rand(()))))
    assert len(drawn) == 100


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path, train=4)


def dataset(root, suffix='.png', **more):
    folders = {'img_path': 'images/train', 'seg_map_path': 'labels/train'}
    return FolderDataset(
        data_root=str(root),
        data_prefix=folders,
        metainfo={'classes': CLASSES},
        pipeline=PIPELINE,
        img_suffix=suffix,
        **more,
    )


def skipping(data):
    return SeededDataset(data, skip_broken=True)


def name(sample):
    return sample['data_samples'].img_path.rpartition('/')[2]


def test_it_tells_what_its_data_set_tells(root):
    data = SeededDataset(dataset(root))
    assert len(data) == 4
    assert data.metainfo['classes'] == CLASSES
    assert name(data[np.int64(1)]) == name(data[1]) == 'train1.png'
    assert data.get_data_info(np.int64(1))['img_path'].endswith('train1.png')
    plain = SeededDataset([5, 6])
    assert (plain[1], plain.metainfo, plain.get_data_info(0)) == (6, {}, {})
    with pytest.raises(IndexError):
        plain[2]


@pytest.mark.parametrize(
    ('file', 'damage', 'fault'),
    [
        (image_path, truncate, 'truncated'),
        (label_path, lambda path: truncate(path, 0.4), 'truncated'),
        (image_path, lambda path: path.write_bytes(b''), 'empty'),
        (image_path, Path.unlink, 'no such file'),
        (label_path, Path.unlink, 'no such file'),
        (
            label_path,
            lambda path: write(path, np.zeros((40, 48), np.uint8)),
            'label map 48x40',
        ),
        (
            label_path,
            lambda path: write(path, np.zeros((80, 96, 3), np.uint8)),
            'one channel',
        ),
    ],
)
@pytest.mark.parametrize('wrapper', [None, 'RepeatDataset', 'ConcatDataset'])
def test_the_next_stands_in_for_a_broken_file_or_it_is_named(
    root, file, damage, fault, wrapper
):
    data = dataset(root)
    data.full_init()
    path = file(root, 'train', 1)
    damage(path)
    if wrapper:
        parts = {'RepeatDataset': {'dataset': data, 'times': 2}}
        parts['ConcatDataset'] = {'datasets': [data, data]}
        data = DATASETS.build({'type': wrapper, **parts[wrapper]})
    sample = skipping(data)[NumberedIndex(len(data) - 3, 7)]
    assert name(sample) == 'train2.png'
    ((skipped, why),) = sample['data_samples'].skipped_files
    assert skipped == str(path)
    assert fault in why
    assert 'skipped_files' not in skipping(data)[2]['data_samples']
    with pytest.raises(DataError, match=rf"^'.*{path.name}' is broken \(.*{fault}"):
        SeededDataset(data)[1]


def test_a_cut_jpeg_which_opencv_may_fill_with_grey_is_left_out(root):
    for number in range(4):
        path = image_path(root, 'train', number)
        write(path.with_suffix('.jpg'), cv2.imread(str(path)))
    cut = image_path(root, 'train', 3, '.jpg')
    truncate(cut)
    assert cv2.imread(str(cut)) is not None
    sample = skipping(dataset(root, suffix='.jpg'))[3]
    assert name(sample) == 'train0.jpg'  # after the last comes the first


def test_errors_that_no_file_explains_stay_what_they_are(root):
    data = dataset(root)
    data.pipeline.transforms.append(lambda results: results['misspelt'])
    with pytest.raises(KeyError, match='misspelt'):
        skipping(data)[0]


def test_files_elsewhere_are_left_to_their_backend(root):
    data = dataset(root, backend_args={'backend': 'local'})
    data.full_init()
    image_path(root, 'train', 1).unlink()
    with pytest.raises(FileNotFoundError):
        skipping(data)[1]


def test_a_data_set_that_is_broken_all_over_stops_with_a_sentence(root):
    for number in range(4):
        truncate(image_path(root, 'train', number))
    loader = DataLoader(skipping(dataset(root)), num_workers=1, collate_fn=list)
    with pytest.raises(DataError) as raised, explain_run():
        list(loader)
    assert str(raised.value).startswith('4 files in a row are broken')
    assert '\n' not in str(raised.value)  # nor the worker's traceback


def test_a_sample_that_cannot_tell_what_it_stands_in_for_is_not_used(root):
    truncate(image_path(root, 'train', 1))
    data = dataset(root)
    data.pipeline.transforms[-1] = lambda results: results['img']
    with pytest.raises(DataError, match=r"train1\.png' is broken"):
        skipping(data)[1]
