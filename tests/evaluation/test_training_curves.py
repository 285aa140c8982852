import json

import numpy as np
import pytest

from sctnet.errors import ArgumentError, DataError
from sctnet.evaluation import training_curves
from sctnet.evaluation.training_curves import (
    draw_curves,
    name_runs,
    read_scalars,
    smooth,
)


def write_log(work_dir, run, lines):
    folder = work_dir / run / 'vis_data'
    folder.mkdir(parents=True)
    text = '\n'.join(json.dumps(line) for line in lines)
    (folder / 'scalars.json').write_text(text)


def test_scalars_of_a_resumed_training_are_one_curve(tmp_path):
    write_log(tmp_path, '1', [{'loss': 3.0, 'step': 1}, {'loss': 2.0, 'step': 2}])
    write_log(tmp_path, '2', [{'loss': 1.5, 'step': 2}, {'mIoU': 9.0, 'step': 3}])
    (tmp_path / '3' / 'vis_data').mkdir(parents=True)
    (tmp_path / '3' / 'vis_data' / 'scalars.json').write_text('{"loss": 1.0, "st')
    scalars = read_scalars(tmp_path)
    assert scalars['loss'] == [(1, 3.0), (2, 1.5)]
    assert scalars['mIoU'] == [(3, 9.0)]


def panels_drawn(monkeypatch, *args, **options):
    """Draw curves; return title to lines (label, x, y) of each panel."""
    from matplotlib.figure import Figure

    drawn = {}

    def save(figure, *_, **__):
        for axes in figure.axes:
            lines = [(x.get_label(), *x.get_data()) for x in axes.lines]
            drawn[axes.get_title()] = lines

    monkeypatch.setattr(Figure, 'savefig', save)
    monkeypatch.setattr(training_curves, 'write_bytes', lambda *_: None)
    draw_curves(*args, **options)
    return drawn


@pytest.fixture
def student(tmp_path):
    folder = tmp_path / 'student'
    entry = {'decode.loss_ce': 2.0, 'siam.loss_bfa_stage3': 1.0, 'time': 1.0, 'lr': 0.1}
    lines = [{**entry, 'step': step} for step in range(1, 41)]
    write_log(folder, '1', [*lines, {'mIoU': 3.0, 'step': 40}])
    return folder


@pytest.fixture
def teacher(tmp_path):
    folder = tmp_path / 'teacher'
    write_log(folder, '1', [{'decode.loss_ce': 4.0, 'step': 1, 'mIoU': float('nan')}])
    return folder


@pytest.mark.parametrize('suffix', ['.png', '.svg', '.pdf', '.PNG'])
def test_curves_are_a_picture_of_the_suffix(suffix, student, teacher, tmp_path):
    path = tmp_path / 'out' / f'curves{suffix}'
    draw_curves({'student': student, 'teacher': teacher}, path)
    data = path.read_bytes()
    magic = {'.png': b'\x89PNG', '.svg': b'<?xml', '.pdf': b'%PDF'}
    assert data.startswith(magic[suffix.lower()])


def test_each_term_has_a_panel_and_each_run_a_curve(student, teacher, monkeypatch):
    runs = {'student': student, 'teacher': teacher}
    panels = panels_drawn(monkeypatch, runs, 'x.png')
    assert list(panels) == ['decode.loss_ce', 'siam.loss_bfa_stage3', 'lr', 'mIoU']
    assert [label for label, *_ in panels['decode.loss_ce']] == ['student', 'teacher']
    assert [label for label, *_ in panels['lr']] == ['student']
    assert panels['mIoU'][0][1:] == ([40], [3.0])


def test_terms_are_chosen_by_patterns(student, monkeypatch):
    panels = panels_drawn(monkeypatch, {'s': student}, 'x.png', ['time', 'siam.*'])
    assert list(panels) == ['time', 'siam.loss_bfa_stage3']
    with pytest.raises(ArgumentError, match=r'called loss_x: .*decode\.loss_ce, siam'):
        draw_curves({'s': student}, 'x.png', ['loss_x'])


def test_smoothing_keeps_the_values_and_leaves_validation_alone(student, monkeypatch):
    panels = panels_drawn(monkeypatch, {'s': student}, 'x.png', smoothing=0.9)
    assert len(panels['decode.loss_ce']) == 2
    assert len(panels['mIoU']) == len(panels['lr']) == 1
    assert smooth([4.0, 4.0], 0.9) == pytest.approx([4.0, 4.0])
    first, gap, last = smooth([1.0, float('nan'), 3.0], 0.5)
    assert (first, last) == (1.0, pytest.approx(7 / 3))
    assert np.isnan(gap)
    with pytest.raises(ArgumentError, match='smoothing is 1'):
        draw_curves({'s': student}, 'x.png', smoothing=1)


def test_runs_are_named_by_their_folders_as_short_as_they_differ(tmp_path):
    a, b = tmp_path / 'a', tmp_path / 'b'
    assert list(name_runs([a, b])) == ['a', 'b']
    assert list(name_runs([a / 'x', b / 'x'])) == [str(a / 'x'), str(b / 'x')]


def test_what_cannot_be_drawn_is_said(student, tmp_path):
    for folder in (tmp_path, 'x' * 5000):
        with pytest.raises(DataError, match='holds no log of a training'):
            draw_curves({'x': folder}, tmp_path / 'curves.png')
    write_log(tmp_path / 'empty', '1', [])
    write_log(tmp_path / 'empty', '2', [17, {'note': 'text'}])
    with pytest.raises(DataError, match=r"log of '.*empty' is empty"):
        draw_curves({'x': tmp_path / 'empty'}, tmp_path / 'curves.png')
    with pytest.raises(ArgumentError, match=r'one of \.png, \.svg, \.pdf'):
        draw_curves({'x': student}, tmp_path / 'curves.xyz')
    assert not list(tmp_path.glob('curves*'))


def test_lines_that_are_no_figures_are_passed_over(tmp_path):
    log = tmp_path / '1' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    lines = ['3', '[]', '{"step": [1], "a": 1}', '{"step": {}, "a": 1}', '{"step"']
    lines += [f'{{"step": 1, "a": {"9" * 400}}}', '{"step": 2, "a": 5}', '\xff']
    log.write_bytes('\n'.join(lines).encode('latin-1'))
    assert read_scalars(tmp_path)['a'] == [(2, 5)]
