"""The report of a test: what is checked before, and the files that it leaves."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from mmseg.registry import MODELS
from page_reader import Page
from small_training import LEAF, small_config
from support import REPOSITORY

from sctnet.catalog import load_config
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import enable_tta
from sctnet.errors import DataError, OutputError
from sctnet.evaluation.confusion import SparseCounts
from sctnet.evaluation.report import collect_report, write_report, write_results
from sctnet.evaluation.report_metric import ImageResult, Results

NO_MORE = {'_delete_': True}
BATCH_NORM = {
    f'model.{part}.norm_cfg.type': 'BN'
    for part in ('backbone', 'decode_head', 'auxiliary_head')
}


def results(classes, outside=0):
    """A tenth of each class is taken for the next one; the last is absent."""
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    for i in range(classes - 1):
        matrix[i, i], matrix[i, (i + 1) % classes] = 90, 10
    matrix[-1, 0] = outside
    images = [ImageResult('a.png', SparseCounts.of(matrix), 50.0, float('nan'))]
    names = [f'class {i}' for i in range(classes)]
    return Results(tuple(names), [[9, 8, 7]] * classes, matrix, images, [])


@pytest.mark.parametrize(('classes', 'pictures'), [(3, 0), (30, 0), (31, 1), (150, 1)])
def test_page_holds_everything_and_json_the_figures(classes, pictures, tmp_path):
    path = write_results(results(classes), tmp_path, {'config': '<c>.py'})
    assert path == tmp_path / 'index.html'
    page = Page(path)
    assert page.row('config') == ['config', '<c>.py']
    assert len(page.pictures) == pictures
    assert page.row('class 0', 'class 1') == ['class 0', 'class 1', '10', '10.00']
    tables = [row[0] for row in page.rows]
    assert sum(name == 'class 0' for name in tables) == (1 if pictures else 2)
    data = json.loads((tmp_path / 'report.json').read_text())
    assert data['aAcc'] == 90
    assert data['classes'][1]['Acc'] == 90
    assert data['classes'][-1]['Acc'] is None
    assert np.shape(data['confusion']) == (classes + 1, classes + 1)
    assert data['images'] == [{'path': 'a.png', 'mIoU': 50, 'aAcc': None}]
    assert 'outside the classes' not in page.text


def test_classes_come_best_first_and_those_without_a_pixel_last(tmp_path):
    found = replace(results(3), classes=('class 0', '<b> & co', 'class 2'))
    found.matrix[:] = [[20, 60, 0, 0], [0, 20, 0, 0], [0] * 4, [0] * 4]
    path = write_results(found, tmp_path, {})
    page, text = Page(path), path.read_text()
    order = [row[1] for row in page.rows if row[0] in '012' and len(row) == 6]
    assert order == ['class 0', '<b> & co', 'class 2']  # both have an IoU of 25
    assert page.row('0') == ['0', 'class 0', '25.00', '25.00', '80.00', '20.00']
    assert page.widths[page.rows.index(page.row('0'))] == [25, 25, 100, 25]
    assert page.row('2')[2:] == ['–', '–', '0.00', '0.00']  # noqa: RUF001
    assert text.count('<tr class="absent">') == 1
    assert 'background:rgb(9,8,7)' in text
    assert 'title="class 0 as &lt;b&gt; &amp; co: 75.00%"' in text
    assert page.row('class 0', '25') == ['class 0', '25', '75', '']
    assert page.row('class 2') == ['class 2', '', '', '']


def test_labels_outside_the_classes_are_said(tmp_path):
    path = write_results(results(3, outside=1234), tmp_path, {})
    assert '1,234 pixels have a label outside the classes' in Page(path).text


def test_perfect_predictions_have_no_confusions(tmp_path):
    found = results(3)
    found.matrix[:] = np.diag([5, 5, 5, 0])
    path = write_results(found, tmp_path, {})
    assert 'No class was taken for another.' in Page(path).text


def test_collecting_adds_a_metric_beside_those_of_the_config(tmp_path):
    cfg = load_config('sctnet-s-ade')
    cfg.test_evaluator.update(ignore_index=254, nan_to_num=0)
    collect_report(cfg, tmp_path / 'new' / 'r')
    theirs, ours = cfg.test_evaluator
    assert theirs.type.__name__ == 'IoUMetric'
    assert ours.type == 'ReportMetric'
    assert (ours.ignore_index, ours.nan_to_num) == (254, 0)
    assert (tmp_path / 'new' / 'r').is_dir()
    assert isinstance(cfg.val_evaluator, dict)
    assert 'ReportMetric' in cfg.pretty_text


@pytest.mark.parametrize(
    ('options', 'problem'),
    [
        ({'test_evaluator.format_only': True}, 'format_only=True'),
        (
            {'test_dataloader.dataset.data_prefix': {'img_path': 'x', **NO_MORE}},
            "data set of 'x' has no seg_map_path",
        ),
        (
            {'test_dataloader.dataset.pipeline': [{'type': 'LoadImageFromFile'}]},
            'loads none',
        ),
    ],
)
def test_test_set_without_labels_is_refused(options, problem, tmp_path):
    cfg = load_config('sctnet-s-seg50')
    cfg.merge_from_dict(options)
    with pytest.raises(DataError, match=f'{problem}.*drop --report'):
        collect_report(cfg, tmp_path / 'r')
    assert not (tmp_path / 'r').exists()


@pytest.mark.parametrize('name', ['index.html', 'report.json'])
def test_a_users_files_stay_unless_told(name, tmp_path):
    (tmp_path / name).write_text('mine')
    cfg = load_config('sctnet-s-seg50')
    with pytest.raises(OutputError, match=f'{name} already.*--overwrite'):
        collect_report(cfg, tmp_path)
    collect_report(cfg, tmp_path, overwrite=True)


def test_folder_that_cannot_be_is_said_before_the_test(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='--report'):
        collect_report(load_config('sctnet-s-seg50'), tmp_path / 'file' / 'r')


@pytest.fixture(scope='module')
def task(tmp_path_factory):
    """An untrained SCTNet-T and three scenes: an odd number for two processes."""
    folder = tmp_path_factory.mktemp('report')
    write_street_scenes(folder / 'streets', num_train=1, num_val=3, size=(128, 64))
    torch.manual_seed(0)
    model = load_config(LEAF).model
    model.siam = None
    state = MODELS.build(model).state_dict()
    torch.save({'state_dict': state, 'meta': {}}, folder / 'w.pth')
    return folder


def run_test(task, name, *, tta=False):
    """Test in this process; return the log's figures and the report's."""
    cfg = small_config(task / 'streets', task / f'work_{name}', options=BATCH_NORM)
    cfg.load_from = str(task / 'w.pth')
    if tta:
        enable_tta(cfg)
        for step in cfg.tta_pipeline[1].transforms[0]:
            step.scale = (128, 64)
    collect_report(cfg, task / name)
    runner = Runner.from_cfg(cfg)
    logged = runner.test()
    assert write_report(runner, task / name) == task / name / 'index.html'
    return logged, json.loads((task / name / 'report.json').read_text())


@pytest.fixture(scope='module')
def one(task):
    """The figures of one process, in the log and in the report."""
    return run_test(task, 'one')


def test_report_says_what_the_log_says(one, task):
    logged, report = one
    for name in ('mIoU', 'mAcc', 'aAcc'):
        assert round(report[name], 2) == pytest.approx(logged[name], abs=1e-4)
    assert len(report['images']) == 3
    page = Page(task / 'one' / 'index.html')
    assert len(page.pictures) == 4 * 3
    assert sum(text == 'errors in red' for _, text in page.pictures) == 3
    assert page.row('checkpoint')[1].endswith('w.pth')


def test_averaged_predictions_are_reported(one, task):
    logged, report = run_test(task, 'tta', tta=True)
    assert report['confusion'] != one[1]['confusion']
    assert round(report['mIoU'], 2) == pytest.approx(logged['mIoU'], abs=1e-4)


def test_two_processes_report_what_one_does(one, task):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ['PATH']])
    options = {**BATCH_NORM, 'test_dataloader.num_workers': 0}
    options['test_dataloader.persistent_workers'] = False
    options['test_dataloader.dataset.pipeline.1.scale'] = '(128,64)'
    done = subprocess.run(
        [
            *('bash', REPOSITORY / 'tools' / 'dist_test.sh', LEAF, task / 'w.pth', '2'),
            *('--data-root', task / 'streets', '--work-dir', 'two', '--report', 'two'),
            *('--cfg-options', *(f'{key}={value}' for key, value in options.items())),
        ],
        cwd=task,
        env={**os.environ, 'PATH': path, 'PORT': port, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count('the report is in') == 1
    assert json.loads((task / 'two' / 'report.json').read_text()) == one[1]
