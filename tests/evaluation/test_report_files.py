"""The report of a test: what is checked before, and the files that it leaves."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from sctnet.catalog import load_config
from sctnet.errors import DataError, OutputError
from sctnet.evaluation.confusion import SparseCounts
from sctnet.evaluation.report_files import collect_report, write_report, write_results
from sctnet.evaluation.report_metric import ImageResult, ReportMetric, Results

NO_MORE = {'_delete_': True}


def results(classes, outside=0):
    """A tenth of each class is taken for the next one; the last is absent."""
    matrix = np.zeros((classes + 1, classes + 1), np.int64)
    for i in range(classes - 1):
        matrix[i, i], matrix[i, (i + 1) % classes] = 90, 10
    matrix[-1, 0] = outside
    images = [ImageResult('a.png', SparseCounts.of(matrix), 50.0, float('nan'))]
    names = tuple(f'class {i}' for i in range(classes))
    return Results(names, [[9, 9, 9]] * classes, matrix, images, [])


@pytest.mark.parametrize(('classes', 'pictures'), [(3, 0), (30, 0), (31, 1), (150, 1)])
def test_page_holds_everything_and_json_the_figures(classes, pictures, tmp_path):
    path = write_results(results(classes), tmp_path, {'config': '<c>.py'})
    assert path == tmp_path / 'index.html'
    page = path.read_text()
    assert '&lt;c&gt;.py' in page
    assert len(re.findall('<img ', page)) == pictures
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('taken for') == 1
    assert page.count('>10.00<') == min(15, classes - 1)
    data = json.loads((tmp_path / 'report.json').read_text())
    assert data['aAcc'] == 90
    assert data['classes'][1]['Acc'] == 90
    assert data['classes'][-1]['Acc'] is None
    assert np.shape(data['confusion']) == (classes + 1, classes + 1)
    assert data['images'] == [{'path': 'a.png', 'mIoU': 50, 'aAcc': None}]
    assert 'outside the classes' not in page


def test_labels_outside_the_classes_are_said(tmp_path):
    page = write_results(results(3, outside=1234), tmp_path, {}).read_text()
    assert '1,234 pixels have a label outside the classes' in page


def test_perfect_predictions_have_no_confusions(tmp_path):
    found = results(3)
    found.matrix[:] = np.diag([5, 5, 5, 0])
    page = write_results(found, tmp_path, {}).read_text()
    assert 'No class was taken for another.' in page


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


def test_only_the_main_process_writes(tmp_path):
    evaluator = SimpleNamespace(metrics=[ReportMetric()])
    runner = SimpleNamespace(test_evaluator=evaluator, cfg=Config())
    assert write_report(runner, tmp_path) is None
    assert not list(tmp_path.iterdir())
