"""The report of a test: what is checked before, and the files that it leaves."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from page_reader import Page

from sctnet.catalog import load_config
from sctnet.errors import DataError, OutputError
from sctnet.evaluation.confusion import SparseCounts
from sctnet.evaluation.report import collect_report, write_results
from sctnet.evaluation.report_metric import ImageResult, Results

NO_MORE = {'_delete_': True}


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
    found.matrix[:] = [[20, 60, 0, 0], [0, 40, 0, 0], [0] * 4, [0] * 4]
    path = write_results(found, tmp_path, {})
    page, text = Page(path), path.read_text()
    order = [row[1] for row in page.rows if row[0] in '012' and len(row) == 6]
    assert order == ['<b> & co', 'class 0', 'class 2']
    assert page.row('0') == ['0', 'class 0', '25.00', '25.00', '66.67', '16.67']
    assert page.widths[page.rows.index(page.row('0'))] == [25, 25, 80, 20]
    assert page.row('2')[2:] == ['–', '–', '0.00', '0.00']  # noqa: RUF001
    assert text.count('<tr class="absent">') == 1
    assert 'background:rgb(9,8,7)' in text
    assert 'rgba(74,127,193,0.45)" title="class 0 as class 0: 25.00%"' in text
    wrong = 'rgba(230,110,30,0.78)" title="class 0 as &lt;b&gt; &amp; co: 75.00%"'
    assert wrong in text
    assert page.row('class 0', '25') == ['class 0', '25', '75', '']
    assert page.row('class 2') == ['class 2', '', '', '']


def test_perfect_predictions_and_labels_outside_the_classes_are_said(tmp_path):
    found = results(3, outside=1234)
    found.matrix[:3] = np.diag([5, 5, 5, 0])[:3]
    text = Page(write_results(found, tmp_path, {})).text
    assert 'No class was taken for another.' in text
    assert '1,234 pixels have a label outside the classes' in text


def test_worst_images_are_shown_with_their_classes_below(tmp_path):
    labels = cv2.imencode('.png', np.full((8, 9), 1, np.uint8))[1].tobytes()
    image = replace(results(3).images[0], truth=labels, prediction=labels)
    classes = ('road', '<sky>', 'train')
    found = replace(results(3), worst=[image, image], classes=classes)
    path = write_results(found, tmp_path, {})
    page = Page(path)
    titles = ['image', 'truth', 'prediction', 'errors in red']
    assert [caption for _, caption in page.pictures] == 2 * titles
    assert page.text.count('a.png: mIoU 50.00, accuracy –') == 2  # noqa: RUF001
    legend = path.read_text().rpartition('class="legend"')[2]
    assert '&lt;sky&gt;' in legend
    assert 'road' not in legend


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
    with pytest.raises(OutputError, match='--report'):
        collect_report(cfg, tmp_path / name / 'r')
    collect_report(cfg, tmp_path, overwrite=True)
