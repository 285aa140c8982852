import cv2
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from sctnet.benchmark import training
from sctnet.benchmark.case import Case, parse_way
from sctnet.benchmark.command import write_views
from sctnet.benchmark.machine import describe_machine
from sctnet.benchmark.markdown import to_markdown
from sctnet.benchmark.models import find_entries
from sctnet.benchmark.report import Report, Row
from sctnet.benchmark.training import (
    STAGES,
    TrainingStep,
    training_cases,
    training_contender,
)
from sctnet.errors import ArgumentError

SIZE = (64, 96)
WAYS = ['readable', 'shortcuts']


def case(way, model='sctnet-s-seg50', size=SIZE, batch=2):
    return Case(model, way, batch, size)


@pytest.fixture(scope='module')
def contenders():
    return {way: training_contender(case(way), 'cpu') for way in WAYS}


def test_both_ways_begin_with_the_same_loss_and_each_stage_takes_time(contenders):
    for contender in contenders.values():
        assert contender.loss() is None
        contender.call()
        first = contender.loss()
        contender.call()
        assert contender.loss() == first  # not that of the second step
        seconds = contender.stopwatch.seconds
        assert tuple(seconds) == STAGES
        assert all(value > 0 for value in seconds.values())
    losses = [contender.loss() for contender in contenders.values()]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] > 1


def test_a_step_moves_the_weights_and_leaves_the_teacher():
    step = TrainingStep(case('shortcuts', 'sctnet-s-ade'), 'cpu')
    student, teacher = step.student, step.student.teacher
    before = {k: v.clone() for k, v in student.state_dict().items()}
    frozen = {k: v.clone() for k, v in teacher.state_dict().items()}
    step()
    after = student.state_dict()
    moved = {k.split('.')[0] for k, v in after.items() if not torch.equal(v, before[k])}
    assert moved == {'backbone', 'decode_head', 'auxiliary_head', 'siam'}
    assert all(torch.equal(v, frozen[k]) for k, v in teacher.state_dict().items())
    assert student.num_classes == 150
    assert student.data_preprocessor.size == SIZE
    assert all(x.shape[1:] == SIZE for x in step.batch['inputs'])


def test_options_reach_student_teacher_and_optimizer():
    way = 'shortcuts+amp+channels_last+teacher-bf16'
    step = TrainingStep(case(way), 'cpu')
    assert step.student.train_cfg['channels_last']
    assert not step.student.train_cfg['compile']
    assert step.student.teacher.dtype == 'bf16'
    assert type(step.optim_wrapper).__name__ == 'BFloat16OptimWrapper'
    step()
    assert step.first_loss > 1
    assert step.student.shortcuts
    plain = TrainingStep(case('readable'), 'cpu')
    assert not plain.student.shortcuts
    assert plain.student.teacher.dtype is None


def test_unknown_ways_options_and_students_are_errors():
    assert parse_way('shortcuts+amp+compile') == ['amp', 'compile']
    with pytest.raises(ArgumentError, match="no way 'fast' to train: use readable"):
        parse_way('fast')
    with pytest.raises(ArgumentError, match="no option 'fp8': expected some of amp"):
        parse_way('shortcuts+fp8')
    with pytest.raises(ArgumentError, match='the loader has no options'):
        parse_way('loader+amp')
    with pytest.raises(ArgumentError, match='bf16 or in fp16, choose one'):
        parse_way('shortcuts+teacher-bf16+teacher-fp16')
    with pytest.raises(ArgumentError, match='--batch is 1: expected at least 2'):
        training_cases([], WAYS, [4, 1], [], 'cpu')
    with pytest.raises(ArgumentError, match="'stdc1' has no teacher to train with"):
        training_cases(find_entries(['stdc1']), WAYS, [], [], 'cpu')


def test_what_the_command_line_leaves_out_is_the_recipes():
    cases = training_cases([], WAYS, [], [], 'cpu')
    assert [(c.model, c.batch, c.size) for c in cases[::2]] == [
        ('sctnet-s-ade', 2, (512, 512)),
        ('sctnet-b-ade', 2, (512, 512)),
        ('sctnet-s-seg50', 2, (512, 1024)),
    ]
    assert [c.backend for c in cases] == WAYS * 3
    on_gpu = training_cases([], ['shortcuts'], [], [], 'cuda:0')
    assert [c.batch for c in on_gpu] == [8, 8, 8]
    models = find_entries(['sctnet-b-coco'])
    found = training_cases(models, ['shortcuts'], [2, 3], [(8, 9)], 'cpu')
    assert [(c.batch, c.size) for c in found] == [(2, (8, 9)), (3, (8, 9))]


def test_a_loader_loads_batches_as_the_recipe_does(monkeypatch):
    monkeypatch.setattr(training, 'SCENES', 2)
    contender = training_contender(case('loader', 'sctnet-s-ade', (240, 250)), 'cpu')
    threads = cv2.getNumThreads()
    contender.call()
    assert cv2.getNumThreads() == threads
    sample = contender.call.dataset[0]
    height, width = sample['inputs'].shape[1:]
    assert (height, width) == (240, 250)
    assert sample['data_samples'].gt_sem_seg.data.shape == (1, height, width)
    assert sample['data_samples'].ori_shape == (512, 683)


def row(way, seconds, peak):
    stages = dict.fromkeys(STAGES, seconds / len(STAGES))
    found = Row('sctnet-s-ade', way, 2, SIZE, seconds=[seconds] * 3)
    found.stages = [stages] * 3 if way != 'loader' else []
    found.memory = {'built': 1 << 20, 'peak': peak << 20}
    found.loss = 3.14159265
    return found


def report(*rows):
    settings = {'command': 'x', 'repeats': 3, 'warmup': 1, 'pause': 0.0}
    return Report('train', describe_machine('cpu'), settings, {}, list(rows))


def test_table_has_ratios_to_the_readable_way_of_the_same_case():
    readable, other = row('readable', 4, 200), row('shortcuts', 9, 9)
    other.size = (1, 1)
    failed = Row('sctnet-b-ade', 'shortcuts', 2, SIZE, reason='RuntimeError: no')
    rows = [readable, row('shortcuts', 1, 50), other, row('loader', 2, 10), failed]
    text = to_markdown(report(*rows), ['a.png'])
    lines = [x.strip('|').split('|') for x in text.splitlines() if '| sctnet' in x]
    first, second, alone, loader = [[cell.strip() for cell in x] for x in lines]
    head = ['sctnet-s-ade', 'readable', '64x96', *['4000.0'] * 3, '1.00', '0.50']
    assert first == [*head, *['571.4'] * 7, '200', '1.00', '3.14159']
    assert second[3:8] == [*['1000.0'] * 3, '0.25', '2.00']
    assert second[-3:-1] == ['50', '0.25']
    assert (alone[6], alone[-2]) == ('', '')
    assert loader[6:] == ['', '1.00', *[''] * 7, '10', '', '3.14159']
    assert '- sctnet-b-ade, shortcuts, batch 2: RuntimeError: no' in text
    assert '- CUDA: this run was on a CPU.' in text
    assert 'published' not in text


def test_stages_and_memory_are_drawn(tmp_path):
    rows = [row('readable', 4, 200), row('shortcuts', 1, 50), row('loader', 1, 9)]
    markdown, picture = write_views(report(*rows), tmp_path)
    assert picture.name in markdown.read_text()
    drawn = cv2.imread(str(picture)).reshape(-1, 3)
    for colour in ('tab:blue', 'tab:purple', 'tab:grey'):  # two stages, and memory
        bgr = np.array([round(255 * c) for c in to_rgb(colour)[::-1]])
        assert (abs(drawn - bgr).max(axis=1) < 3).sum() > 500
    write_views(report(Row('a', 'shortcuts', 2, SIZE, reason='no')), tmp_path)
