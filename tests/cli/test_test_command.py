"""``sctnet test``: pictures, label maps, a report; in two processes, and averaged."""

import json
import os
import re
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from mmseg.datasets import CityscapesDataset
from mmseg.registry import MODELS
from small_training import LEAF
from support import REPOSITORY
from tool_process import call, metrics, one_line_error

from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.written_labels import written_values

pytestmark = pytest.mark.slow
CLASSES = CityscapesDataset.METAINFO['classes']

OPTIONS = [
    '--cfg-options',
    *('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False'),
    'test_dataloader.batch_size=2',
    *(f'model.{part}.norm_cfg.type=BN' for part in ('backbone', 'decode_head')),
    'model.auxiliary_head.norm_cfg.type=BN',
    *(f'tta_pipeline.1.transforms.0.{i}.scale=(128,64)' for i in range(6)),
]


@pytest.fixture(scope='module')
def task(tmp_path_factory):
    """An untrained SCTNet-T and three scenes: an odd number for two processes."""
    folder = tmp_path_factory.mktemp('report')
    write_street_scenes(folder / 'streets', num_train=1, num_val=3, size=(128, 64))
    torch.manual_seed(0)
    model = load_config(LEAF).model
    model.siam = None
    state = MODELS.build(model).state_dict()
    torch.save({'state_dict': state, 'meta': {}}, folder / 'iter_1.pth')
    return folder


@pytest.fixture(scope='module')
def one(task):
    """The report of one process, which writes pictures and label maps too."""
    more = ('--show-dir', 'shown', '--out', 'labels')
    return report_of(run(task, 'one', '--report', 'one', *more), task / 'one')


def run(task, name, *words):
    common = (LEAF, '.', '--data-root', 'streets', '--work-dir', f'work_{name}')
    return call('test', *common, *words, *OPTIONS, cwd=task)


def report_of(done, folder):
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"the report is in '{folder.name}/index.html'" in done.stdout
    return json.loads((folder / 'report.json').read_text())


def test_report_says_what_the_log_says(one, task):
    for name, value in metrics(task / 'work_one').items():
        if name in ('mIoU', 'mAcc', 'aAcc'):
            assert round(one[name], 2) == pytest.approx(value, abs=1e-4)
    assert len(one['images']) == 3
    page = (task / 'one' / 'index.html').read_text()
    assert len(re.findall('<img ', page)) == 12
    assert page.count('errors in red') == 2 * 3  # text and its alternative


def test_pictures_and_label_maps_are_written(one, task):
    assert len(list((task / 'shown').rglob('*.png'))) == 3
    labels = sorted((task / 'labels').rglob('*.png'))
    assert len(labels) == 3
    assert {path.parent.parent for path in labels} == {task / 'labels'}  # a city each
    assert cv2.imread(str(labels[0]), cv2.IMREAD_UNCHANGED).shape == (64, 128)


def test_two_processes_report_what_one_does(one, task):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
    done = subprocess.run(
        [
            *('bash', REPOSITORY / 'tools' / 'dist_test.sh', LEAF, 'iter_1.pth', '2'),
            *('--data-root', 'streets', '--work-dir', 'two', '--report', 'two'),
            *OPTIONS,
        ],
        cwd=task,
        env={**os.environ, 'PATH': path, 'PORT': port, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count('the report is in') == 1, done.stderr[-3000:]
    assert report_of(done, task / 'two') == one


def test_averaged_predictions_are_reported(one, task):
    averaged = report_of(run(task, 'tta', '--tta', '--report', 'tta'), task / 'tta')
    assert len(averaged['images']) == 3
    assert averaged['confusion'] != one['confusion']
    assert round(averaged['mIoU'], 2) == pytest.approx(
        metrics(task / 'work_tta')['mIoU'], abs=1e-4
    )


def test_a_report_is_not_replaced_unless_told(one, task):
    error = one_line_error(run(task, 'again', '--report', 'one'))
    assert "'one' has a file index.html already" in error
    assert not list((task / 'work_again').glob('*'))  # said before the test


def test_labels_that_would_measure_nothing_end_it_before(task):
    folder = task / 'streets' / 'gtFine' / 'val'
    maps = {path: path.read_bytes() for path in folder.rglob('*_labelTrainIds.png')}
    try:
        for path in maps:
            cv2.imwrite(str(path), np.full((64, 128), 255, np.uint8))
        said = one_line_error(run(task, 'nothing'))
    finally:
        for path, data in maps.items():
            path.write_bytes(data)
    assert 'nothing labelled' in said
    assert said.endswith('--no-check goes on as it is')


@pytest.fixture(scope='module')
def alone(task):
    """Images without labels, in two folders, of one of which one is broken."""
    scenes = sorted((task / 'streets' / 'leftImg8bit' / 'val').rglob('*.png'))
    for scene, name in zip(scenes, ('a/x.png', 'b/x.png', 'y.png'), strict=True):
        (task / 'alone' / name).parent.mkdir(parents=True, exist_ok=True)
        (task / 'alone' / name).write_bytes(scene.read_bytes())
    (task / 'alone' / 'a' / 'w.png').write_bytes(scenes[0].read_bytes()[:300])
    return ('--no-labels', '--images', 'alone')


@pytest.mark.parametrize('tta', [(), ('--tta',)])
def test_images_without_labels_are_predicted(task, one, alone, tta):
    out = 'out_tta' if tta else 'out'
    words = (*alone, '--out', out, '--labels', 'cityscapes', *tta)
    done = run(task, out, *words)
    assert done.returncode == 1, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == (
        f"3 of 4 label maps are in '{out}', Cityscapes' labelIds, 7 to 33 (--labels "
        'cityscapes)'
    )
    (skipped,) = re.findall('^skipped: (.*)', done.stderr, re.MULTILINE)
    assert skipped.startswith("'alone/a/w.png' cannot be read (truncated")
    found = sorted((task / out).rglob('*.png'))
    names = [str(path.relative_to(task / out)) for path in found]
    assert names == ['a/x.png', 'b/x.png', 'y.png']
    if not tta:
        measured = sorted((task / 'labels').rglob('*.png'))
        for with_labels, without in zip(measured, found, strict=True):
            before, ids = (cv2.imread(str(f), -1) for f in (with_labels, without))
            assert ids.dtype == np.uint8
            table = written_values('cityscapes', 19, CLASSES, None)
            assert np.array_equal(table[before], ids)


def test_images_of_the_config_need_no_labels_either(task, one):
    labels = task / 'streets' / 'gtFine'
    labels.rename(task / 'gone')
    try:
        done = run(task, 'bare', '--no-labels', '--out', 'bare')
        lacking = one_line_error(run(task, 'lacking'))
    finally:
        (task / 'gone').rename(labels)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "3 of 3 label maps are in 'bare', class indices" in done.stdout
    assert lacking.endswith('or predict alone with --no-labels --out DIR')
    for path in (task / 'labels').rglob('*.png'):
        same = task / 'bare' / path.relative_to(task / 'labels')
        assert same.read_bytes() == path.read_bytes()


def test_a_pipeline_without_labels_measures_nothing(task):
    other = 'test_dataloader.dataset.pipeline.2.type=PhotometricDistortion'
    words = (LEAF, '.', '--data-root', 'streets', *OPTIONS, other)
    said = one_line_error(call('test', *words, cwd=task))
    assert 'loads no labels: add LoadAnnotations' in said


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('--no-labels',), 'name their folder with --out DIR'),
        (('--labels', 'index'), 'name their folder with --out DIR'),
        (('--images', 'alone', '--out', 'x'), 'add --no-labels, or name a data set'),
        (('--no-labels', '--out', 'x', '--report', 'r'), 'or drop --report'),
        (('--out', 'x', '--labels', 'ade20k'), 'take --labels index'),
    ],
)
def test_options_that_do_not_go_together(task, words, said):
    assert said in one_line_error(run(task, 'refused', *words))
    assert not list((task / 'work_refused').glob('*'))
