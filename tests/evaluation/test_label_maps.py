"""Label maps of a test as PNGs: what they hold, their names, and which are missing."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset
from mmseg.registry import DATASETS

from sctnet.catalog import load_config
from sctnet.compat.config_types import kind_of
from sctnet.datasets.folder_dataset import FolderDataset
from sctnet.engine.launch import enable_tta, evaluators_of, set_data_root
from sctnet.engine.seeded_dataset import SeededDataset
from sctnet.errors import ArgumentError, ConfigError, DataError, OutputError
from sctnet.evaluation import label_maps
from sctnet.evaluation.label_maps import LabelMapMetric

CLASSES = {'classes': ('floor', 'wall', 'door'), 'palette': [[0, 0, 0]] * 3}


def write_images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.zeros((64, 64, 3), np.uint8))
    return folder


def runner_of(out, *folders, metric=None):
    """What ``name_label_maps`` needs of a Runner."""
    datasets = [
        FolderDataset(metainfo=CLASSES, data_prefix={'img_path': str(f)}, pipeline=[])
        for f in folders
    ]
    dataset = SeededDataset(ConcatDataset(datasets))
    metrics = [SimpleNamespace(), metric or LabelMapMetric(str(out))]
    loop = SimpleNamespace(
        evaluator=SimpleNamespace(metrics=metrics),
        dataloader=SimpleNamespace(dataset=dataset),
    )
    return SimpleNamespace(test_loop=loop)


def predicted(path, labels):
    data = torch.tensor([labels])
    return {'img_path': str(path), 'pred_sem_seg': {'data': data}}


def test_pngs_hold_the_values_and_keep_the_tree(tmp_path):
    images = write_images(tmp_path / 'images', 'a/x.jpg', 'b/x.png', 'y.png')
    metric = LabelMapMetric(str(tmp_path / 'out'), values=[7, 8, 300])
    assert label_maps.name_label_maps(runner_of('', images, metric=metric)) is metric
    assert sorted(metric.names.values()) == ['a/x.png', 'b/x.png', 'y.png']
    metric.dataset_meta = CLASSES
    metric.process({}, [predicted(images / 'a/x.jpg', [[0, 1], [2, 2]])])
    written = cv2.imread(str(tmp_path / 'out/a/x.png'), cv2.IMREAD_UNCHANGED)
    assert (written.dtype, written.tolist()) == (np.uint16, [[7, 8], [300, 300]])
    metric.values = None
    metric.process({}, [predicted(images / 'b/x.png', [[0.0, 2.0]])])  # mmseg's sigmoid
    written = cv2.imread(str(tmp_path / 'out/b/x.png'), cv2.IMREAD_UNCHANGED)
    assert (written.dtype, written.tolist()) == (np.uint8, [[0, 2]])
    assert metric.evaluate(2) == {}
    (images / 'y.png').write_bytes(b'')
    (said,) = label_maps.missing_label_maps(metric)
    assert said == f"'{images / 'y.png'}' cannot be read (empty (0 bytes))"


@pytest.mark.parametrize('two', [('a/x.png', 'a/x.jpg'), ('one/x.png', 'two/x.png')])
def test_images_of_one_name_are_refused(tmp_path, two):
    images = write_images(tmp_path, *two)
    folders = [images] if two[0][0] == 'a' else [images / 'one', images / 'two']
    with pytest.raises(DataError, match=r"would share one label map, '.*x\.png': give"):
        label_maps.name_label_maps(runner_of(tmp_path.parent / 'out', *folders))


def test_label_maps_do_not_come_among_the_images(tmp_path):
    images = write_images(tmp_path / 'images', 'x.png')
    for out in (images, images / 'deep' / 'er'):
        with pytest.raises(OutputError, match='is in the folder of the images'):
            label_maps.name_label_maps(runner_of(out, images))
    label_maps.name_label_maps(runner_of(tmp_path / 'images2', images))


def test_a_data_set_that_names_no_images_is_said(tmp_path):
    runner = runner_of(tmp_path, write_images(tmp_path / 'images', 'x.png'))
    runner.test_loop.dataloader.dataset = [1, 2]
    with pytest.raises(ConfigError, match='a list does not say where its images are'):
        label_maps.name_label_maps(runner)


def test_files_outside_of_the_folder_stay_below_out(tmp_path):
    images = write_images(tmp_path / 'images', 'x.png')
    runner = runner_of(tmp_path / 'out', images)
    (dataset,) = runner.test_loop.dataloader.dataset.dataset.datasets
    dataset.data_prefix['img_path'] = str(tmp_path / 'other')
    assert [*label_maps.name_label_maps(runner).names.values()] == ['x.png']


@pytest.mark.parametrize('built', [False, True])
def test_the_evaluators_stay_but_those_that_only_wrote(built, tmp_path):
    cfg = load_config('sctnet-s-ade')
    several = [{'type': 'IoUMetric'}, {'type': 'IoUMetric', 'format_only': True}]
    cfg.test_evaluator = {'metrics': several} if built else several
    label_maps.save_label_maps(cfg, str(tmp_path / 'out'))
    first, ours = evaluators_of(cfg)
    assert first == {'type': 'IoUMetric'}
    assert ours == {'type': 'LabelMapMetric', 'out_dir': str(tmp_path / 'out')}
    label_maps.save_label_maps(cfg, str(tmp_path), 'dataset')
    assert cfg.test_evaluator[-1]['values'] == [*range(1, 151)]
    with pytest.raises(ArgumentError, match='--labels cityscapes is for the 19'):
        label_maps.save_label_maps(cfg, str(tmp_path), 'cityscapes')
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='--out'):
        label_maps.save_label_maps(cfg, str(tmp_path / 'file' / 'x'))


def kinds(steps):
    found = []
    for step in steps:
        if isinstance(step, list):
            found.append(kinds(step))
        else:
            name = kind_of(step)
            found.append(name)
            found += [kinds(step['transforms'])] if name == 'TestTimeAug' else []
    return found


@pytest.mark.parametrize('tta', [False, True])
def test_labels_are_neither_looked_for_nor_loaded(tta, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    if tta:
        enable_tta(cfg)
    label_maps.save_label_maps(cfg, str(tmp_path / 'out'))
    label_maps.without_labels(cfg)
    dataset = cfg.test_dataloader.dataset
    assert dataset.data_prefix == {'img_path': 'leftImg8bit/val'}
    packs, flips = ['PackSegInputs'], ['RandomFlip'] * 2
    assert kinds(dataset.pipeline) == (
        ['LoadImageFromFile', 'TestTimeAug', [['Resize'] * 6, flips, packs]]
        if tta
        else ['LoadImageFromFile', 'Resize', *packs]
    )
    assert [one['type'] for one in evaluators_of(cfg)] == ['LabelMapMetric']
    assert cfg.pretty_text  # mmengine writes it into the log


def test_images_of_any_folder_take_the_place_of_the_data_sets(tmp_path):
    cfg = load_config('sctnet-s-ade')
    label_maps.save_label_maps(cfg, str(tmp_path / 'out'), 'dataset')
    images = write_images(tmp_path / 'images', 'a/x.JPG', 'y.png')
    label_maps.without_labels(cfg, str(images))
    dataset = DATASETS.build({**cfg.test_dataloader.dataset, 'pipeline': []})
    assert len(dataset) == 2
    assert len(dataset.metainfo['classes']) == 150
    assert 'seg_map_path' not in dataset.get_data_info(0)
    assert cfg.test_evaluator[0]['values'][0] == 1  # by the config's own data set
    for place, said in (('none', 'there is no folder'), ('', 'has no image')):
        (tmp_path / 'empty').mkdir(exist_ok=True)
        with pytest.raises(DataError, match=said):
            label_maps.without_labels(cfg, str(tmp_path / 'empty' / place))


def test_a_list_of_images_that_is_not_there_is_said(tmp_path):
    cfg = load_config('sctnet-s-ade')
    set_data_root(cfg, str(tmp_path))
    cfg.test_dataloader.dataset.ann_file = 'test.txt'
    label_maps.save_label_maps(cfg, str(tmp_path / 'out'))
    with pytest.raises(DataError, match=r"no list '.*test\.txt': put it"):
        label_maps.without_labels(cfg)
    (tmp_path / 'test.txt').write_text('a\n')
    label_maps.without_labels(cfg)
