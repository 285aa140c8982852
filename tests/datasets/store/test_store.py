"""A store gives the same pixels as the files, or says why it cannot."""

import os
import pickle
import shutil

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import DATASETS
from own_folder import (
    CLASSES,
    dataset_config,
    image_path,
    label_path,
    truncate,
    write,
    write_own_data,
)

from sctnet.datasets.folder_dataset import FolderDataset
from sctnet.datasets.prepare import archives
from sctnet.datasets.prepare.prepare_store import plan_store, write_store
from sctnet.datasets.store import LoadAnnotationsFromStore, LoadImageFromStore, Store
from sctnet.datasets.store.index import INDEX, open_store
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import BrokenFileError, ConfigError, DataError, OutputError

LOAD = [{'type': 'LoadImageFromFile'}, {'type': 'LoadAnnotations'}]
META = {'img_shape', 'ori_shape', 'seg_fields'}


def dataset(root, part='train', pipeline=LOAD, **more):
    return dataset_config(root, part, pipeline, **more)


def config(*datasets):
    one = datasets[0]
    if len(datasets) > 1:
        one = {'type': 'ConcatDataset', 'datasets': list(datasets)}
        one = {'type': 'RepeatDataset', 'times': 2, 'dataset': one}
    return Config({'train_dataloader': {'dataset': one}})


def store(folder, *datasets, **more):
    return write_store(plan_store(config(*datasets), folder, workers=0, **more), 0)


def from_store(folder, settings):
    steps = [
        {'type': LoadImageFromStore, 'folder': str(folder), 'reads_as': LOAD[0]},
        {'type': LoadAnnotationsFromStore, 'folder': str(folder), 'reads_as': LOAD[1]},
    ]
    for step, file in zip(steps, settings['pipeline'], strict=False):
        step |= {'root': settings['data_root'], 'reads_as': file}
    return DATASETS.build({**settings, 'pipeline': steps[: len(settings['pipeline'])]})


def assert_same(settings, folder):
    theirs, ours = DATASETS.build(settings), from_store(folder, settings)
    assert len(theirs) == len(ours) > 0
    for index in range(len(ours)):
        expected, found = theirs[index], ours[index]
        assert expected.keys() == found.keys()
        for key in ('img', 'gt_seg_map'):
            if key in expected:
                assert found[key].dtype == expected[key].dtype
                assert np.array_equal(found[key], expected[key])
        assert all(found[key] == expected[key] for key in META & expected.keys())


@pytest.fixture
def root(tmp_path):
    return write_own_data(tmp_path / 'rooms')


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'store'


@pytest.mark.parametrize('more', [
    {},
    {'reduce_zero_label': True},
    {'metainfo': {'classes': ('wall', 'door')}},
    {'reduce_zero_label': True, 'metainfo': {'classes': ('door',)}},
])  # fmt: skip
def test_pixels_and_labels_are_those_of_the_files(root, folder, more):
    more.setdefault('metainfo', {'classes': CLASSES})
    settings = {**dataset(root), 'type': 'BaseSegDataset', 'img_suffix': '.png'}
    if len(more['metainfo']['classes']) < 3:  # some of the classes of a data set
        settings['type'] = type('Rooms', (FolderDataset,), {'METAINFO': {
            'classes': CLASSES, 'palette': [[0] * 3] * 3}})  # fmt: skip
    store(folder, settings)
    assert_same({**settings, **more}, folder)


@pytest.mark.parametrize('options', [
    {'color_type': 'grayscale'},
    {'to_float32': True},
    {'color_type': 'unchanged', 'imdecode_backend': 'cv2'},
])  # fmt: skip
def test_the_configs_own_loader_decodes(root, folder, options):
    write(image_path(root, 'train', 0), np.full((80, 96, 4), 60000, np.uint16))
    settings = dataset(root, pipeline=[{**LOAD[0], **options}, LOAD[1]])
    assert store(folder, settings).written == 4
    assert_same(settings, folder)
    with pytest.raises(
        DataError, match=r'stored as LoadImageFromFile\(.*another --out'
    ):
        from_store(folder, dataset(root))[0]
    with pytest.raises(DataError, match='name another folder with --out'):
        store(folder, dataset(root))


def test_data_sets_in_others_and_without_labels(root, folder, tmp_path):
    other = write_own_data(tmp_path / 'elsewhere/halls', suffix='.jpg')
    bare = dataset(root, 'val', LOAD[:1], data_prefix={'img_path': 'images/val'})
    both = [dataset(root), dataset(other), bare]
    assert store(folder, *both).written == 10
    for settings in both:
        assert_same(settings, folder)
    assert not (folder / 'rooms/labels/val').exists()
    moved = tmp_path / 'moved/rooms'  # as on another machine
    shutil.move(root, moved.parent / 'rooms')
    assert_same(dataset(moved), folder)


def test_files_outside_of_the_data_root(root, folder, tmp_path):
    folders = {
        'img_path': f'{root}/images/train',
        'seg_map_path': f'{root}/labels/train',
    }
    settings = dataset(tmp_path / 'none', data_prefix=folders)
    store(folder, settings)
    assert_same(settings, folder)


def test_two_roots_of_one_name_are_refused(root, folder, tmp_path):
    twin = write_own_data(tmp_path / 'twin/rooms')
    with pytest.raises(DataError, match=r'would both be .* different names'):
        plan_store(config(dataset(root), dataset(twin)), folder)


def test_size_is_known_before_and_too_much_is_refused(root, folder, monkeypatch):
    plan = plan_store(config(dataset(root)), folder)
    assert plan.needed == 4 * 96 * 80 * 4
    usage = shutil.disk_usage(root)
    monkeypatch.setattr(
        archives.shutil, 'disk_usage', lambda _: usage._replace(free=plan.needed - 1)
    )
    with pytest.raises(OutputError, match=r'the store needs 0\.0 GB .*--out'):
        write_store(plan)
    assert not folder.exists()


def test_what_is_there_stays_and_what_is_not_whole_is_made_again(root, folder):
    settings = dataset(root)
    store(folder, settings)
    assert plan_store(config(settings), folder).kept == 4
    stored = folder / 'rooms/images/train/train0.png.npy'
    stored.write_bytes(stored.read_bytes()[:-1])
    index = folder / INDEX  # the last line's end is missing, as after a power cut
    index.write_bytes(index.read_bytes()[:-20])
    plan = plan_store(config(settings), folder)
    assert (plan.kept, len(plan.pairs)) == (2, 2)
    assert write_store(plan).written == 2
    assert plan_store(config(settings), folder).kept == 4
    assert_same(settings, folder)


def test_an_interrupted_run_goes_on(root, folder, monkeypatch):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    plan = plan_store(config(dataset(root)), folder)
    with pytest.raises(KeyboardInterrupt):
        write_store(plan, 0, interrupt)
    assert plan_store(config(dataset(root)), folder).kept == 3
    assert not list(folder.rglob('.*'))


def test_a_changed_source_is_noticed(root, folder):
    settings = dataset(root)
    store(folder, settings)
    data = from_store(folder, settings)
    newer, larger = image_path(root, 'train', 0), label_path(root, 'train', 1)
    moment = newer.stat().st_mtime + 10
    os.utime(newer, (moment, moment))
    state = larger.stat()
    larger.write_bytes(larger.read_bytes() + b'\0')
    os.utime(larger, ns=(state.st_atime_ns, state.st_mtime_ns))
    for index, path in enumerate((newer, larger)):
        with pytest.raises(DataError, match=f"'{path}' has changed since .* prepare"):
            data[index]
    assert store(folder, settings).written == 2
    assert_same(settings, folder)


def test_sources_may_be_gone(root, folder):
    settings = dataset(root)
    expected = DATASETS.build(settings)[0]['img']
    store(folder, settings)
    data = SeededDataset(from_store(folder, settings))
    shutil.rmtree(root)
    assert np.array_equal(data[0]['img'], expected)


def test_sources_are_not_read_again(root, folder):
    settings = dataset(root)
    expected = DATASETS.build(settings)[0]['img']
    store(folder, settings)
    path = image_path(root, 'train', 0)
    state = path.stat()
    path.write_bytes(b'x' * state.st_size)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    data = SeededDataset(from_store(folder, settings))
    assert np.array_equal(data[0]['img'], expected)


def test_what_is_not_in_the_store_is_named(root, folder):
    with pytest.raises(DataError, match=r'no store in .* prepare store CONFIG --out'):
        Store(folder)
    store(folder, dataset(root))
    write(image_path(root, 'train', 9), np.zeros((80, 96, 3), np.uint8))
    write(label_path(root, 'train', 9), np.zeros((80, 96), np.uint8))
    data = SeededDataset(from_store(folder, dataset(root)), skip_broken=True)
    with pytest.raises(DataError, match=r"has no 'rooms/images/train/train9\.png'"):
        data[4]
    store(folder, dataset(root))  # also where this process has read the store before
    assert open_store(str(folder)).entries.keys() >= {'rooms/images/train/train9.png'}
    assert from_store(folder, dataset(root))[4]['img'].max() == 0


def test_broken_files_are_counted_and_left_out_of_a_training(root, folder):
    truncate(image_path(root, 'train', 0))
    write(label_path(root, 'train', 1), np.zeros((40, 48), np.uint8))
    label_path(root, 'train', 2).write_bytes(b'')
    result = store(folder, dataset(root))
    assert result.written == 1
    found = [text.partition("' (") for text in sorted(result.failed)]
    assert [path[-10:] for path, *_ in found] == [
        'train0.png',
        'train1.png',
        'train2.png',
    ]
    assert 'image 96x80, label map 48x40' in found[1][2]
    settings = from_store(folder, dataset(root))
    settings.pipeline.transforms.append(PackSegInputs())
    data = SeededDataset(settings, skip_broken=True)
    sample = data[0]['data_samples']
    assert sample.img_path.endswith('train3.png')
    assert [path[-10:] for path, _ in sample.skipped_files] == [
        'train0.png', 'train1.png', 'train2.png']  # fmt: skip
    with pytest.raises(BrokenFileError, match=r"train0\.png' is broken"):
        SeededDataset(settings)[0]
    assert store(folder, dataset(root)).written == 0  # they are tried again


def test_a_colour_label_map_is_broken(root, folder):
    write(label_path(root, 'train', 0), np.zeros((80, 96, 3), np.uint8))
    assert '(3 channels' in store(folder, dataset(root)).failed[0]


def test_a_damaged_stored_file_is_left_out_too(root, folder):
    store(folder, dataset(root))
    for number, content in enumerate((b'', b'PK', None)):
        stored = folder / f'rooms/images/train/train{number}.png.npy'
        stored.write_bytes(stored.read_bytes()[:-9] if content is None else content)
        with pytest.raises(BrokenFileError, match=r'npy.* makes it again') as raised:
            from_store(folder, dataset(root))[number]
        copied = pickle.loads(pickle.dumps(raised.value))
        assert str(copied) == str(raised.value)


def test_what_a_transform_writes_does_not_reach_the_store(root, folder):
    store(folder, dataset(root))
    data = from_store(folder, dataset(root))
    data[0]['img'][:] = 0
    data[0]['gt_seg_map'][:] = 9
    assert_same(dataset(root), folder)


def test_other_pipelines_and_folders_are_refused_in_a_sentence(root, folder, tmp_path):
    odd = dataset(root, pipeline=[{'type': 'LoadImageFromNDArray'}])
    with pytest.raises(
        ConfigError, match=r'LoadImageFromNDArray.* train without a store'
    ):
        plan_store(config(odd), folder)
    with pytest.raises(DataError, match='no folder'):
        plan_store(config(dataset(tmp_path / 'none')), folder)
    folder.write_text('a file')
    with pytest.raises(OutputError, match='--out'):
        store(folder, dataset(root))


def test_cut_to_two_dimensions_by_a_reader_of_one_band(root, folder):
    grey = dataset(root, pipeline=[{**LOAD[0], 'color_type': 'grayscale'}, LOAD[1]])
    assert plan_store(config(grey), folder).needed == 4 * 96 * 80 * 2
    image = cv2.imread(str(image_path(root, 'train', 0)), cv2.IMREAD_GRAYSCALE)
    store(folder, grey)
    assert np.array_equal(from_store(folder, grey)[0]['img'], image)
