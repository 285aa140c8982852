import json

import cv2
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

from sctnet.benchmark import memory, runs, training
from sctnet.benchmark.cases import Case, Contender
from sctnet.benchmark.command import write_views
from sctnet.benchmark.loading import loading_contender
from sctnet.benchmark.machine import describe_machine
from sctnet.benchmark.markdown import to_markdown
from sctnet.benchmark.peers import find_entries
from sctnet.benchmark.report import Report, Row
from sctnet.benchmark.training import (
    STAGES,
    TrainingStep,
    check_way,
    largest,
    training_cases,
    training_contender,
)
from sctnet.errors import ArgumentError

SIZE = (64, 96)
WAYS = ['reference', 'fused']


def case(way, model='sctnet-s-seg50', size=SIZE, batch=2):
    return Case(model, way, 'kept', batch, size)


@pytest.fixture(scope='module')
def contenders():
    return {way: training_contender(case(way), 'cpu') for way in WAYS}


def test_both_ways_begin_with_the_same_loss_and_differ_in_code(contenders, monkeypatch):
    from sctnet.models import teacher

    short, run = [], teacher.run_backbone
    seeds, seed = [], torch.manual_seed
    monkeypatch.setattr(torch, 'manual_seed', lambda x: seeds.append(x) or seed(x))
    monkeypatch.setattr(teacher, 'run_backbone', lambda *x: short.append(1) or run(*x))
    for contender in contenders.values():
        assert contender.loss() is None
        contender.call()
        first = contender.loss()
        contender.call()
        assert contender.loss() == first  # not that of the second step
    assert len(short) == 2
    assert seeds == [0, 0]  # of dropped paths, before each first step
    losses = [contender.loss() for contender in contenders.values()]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] > 1


def test_stages_add_up_and_each_takes_time(contenders):
    for contender in contenders.values():
        contender.call()
        seconds = contender.stopwatch.seconds
        assert tuple(seconds) == STAGES
        assert all(value > 0 for value in seconds.values())


def test_a_step_moves_the_weights_and_leaves_the_teacher():
    step = TrainingStep(case('fused', 'sctnet-s-ade'), 'cpu')
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
    way = 'fused+amp+channels_last+teacher-bf16'
    step = TrainingStep(case(way), 'cpu')
    assert step.student.train_cfg['channels_last']
    assert not step.student.train_cfg['compile']
    assert step.student.teacher.dtype == 'bf16'
    assert type(step.optim_wrapper).__name__ == 'BFloat16OptimWrapper'
    step()
    assert step.first_loss > 1
    plain = TrainingStep(case('reference'), 'cpu')
    assert not plain.student.fused
    assert plain.student.teacher.dtype is None


def test_unknown_ways_options_and_students_are_errors():
    assert check_way('fused+amp+compile') == ['amp', 'compile']
    with pytest.raises(ArgumentError, match="no way 'fast' to train: use reference"):
        check_way('fast')
    with pytest.raises(ArgumentError, match="no option 'fp8': expected some of amp"):
        check_way('fused+fp8')
    with pytest.raises(ArgumentError, match='the loader has no options'):
        check_way('loader+amp')
    with pytest.raises(ArgumentError, match='bf16 or in fp16, choose one'):
        check_way('fused+teacher-bf16+teacher-fp16')
    with pytest.raises(ArgumentError, match='--batch is 1: expected at least 2'):
        training_cases([], WAYS, [4, 1], [], 'cpu')
    with pytest.raises(ArgumentError, match="'stdc1' has no teacher to train with"):
        training_cases(find_entries(['stdc1']), WAYS, [], [], 'cpu')


def test_what_the_command_line_leaves_out_is_the_recipes():
    cases = training_cases([], WAYS, [], [], 'cpu')
    assert [(c.model, c.batch, c.size) for c in cases[::2]] == list(training.ON_A_CPU)
    assert [c.backend for c in cases] == WAYS * 3
    on_gpu = training_cases([], ['fused'], [], [], 'cuda:0')
    assert [(c.model, c.batch, c.size) for c in on_gpu] == [
        ('sctnet-s-seg50', 8, (512, 1024)),
        ('sctnet-b-seg50', 8, (512, 1024)),
        ('sctnet-s-ade', 8, (512, 512)),
        ('sctnet-b-ade', 8, (512, 512)),
    ]
    models = find_entries(['sctnet-b-coco'])
    found = training_cases(models, ['fused'], [2, 3], [(8, 9)], 'cpu')
    assert [(c.batch, c.size) for c in found] == [(2, (8, 9)), (3, (8, 9))]
    found = training_cases([], ['fused'], [4], [], 'cpu')  # of the same models
    assert [(c.model, c.batch, c.size) for c in found] == [
        (model, 4, size) for model, _, size in training.ON_A_CPU
    ]
    (own,) = training_cases(models, ['fused'], [], [], 'cpu')
    assert (own.batch, own.size) == (2, (640, 640))


@pytest.mark.parametrize('limit', [1, 2, 3, 7, 8, 100])
def test_the_largest_batch_is_found(limit):
    tried = []

    def fits(count):
        tried.append(count)
        return count <= limit

    assert largest(fits) == (limit if limit > 1 else 0)
    assert len(tried) == len(set(tried)) <= 15
    assert min(tried) == 2  # one image alone cannot be trained on


@pytest.mark.parametrize(
    'error',
    [torch.OutOfMemoryError('CUDA out of memory'), RuntimeError('CUBLAS ALLOC_FAILED')],
)
def test_a_batch_that_does_not_fit_is_let_go(monkeypatch, error):
    step = TrainingStep(case('fused'), 'cpu')
    backward = step.optim_wrapper.backward

    def out_of_memory(loss):
        backward(loss)
        if len(step.batch['inputs']) > 2:
            raise error

    monkeypatch.setattr(step.optim_wrapper, 'backward', out_of_memory)
    assert largest(step.fits) == 2
    assert all(p.grad is None for p in step.student.parameters())


def test_other_errors_are_not_taken_for_a_lack_of_memory(monkeypatch):
    step = TrainingStep(case('fused'), 'cpu')

    def fail(loss):
        raise RuntimeError('no kernel image')

    monkeypatch.setattr(step.optim_wrapper, 'backward', fail)
    with pytest.raises(RuntimeError, match='no kernel image'):
        step.fits(2)


def test_only_a_gpu_is_asked_for_its_largest_batch(monkeypatch, capsys):
    toy = Contender(lambda: None, None, SIZE, largest_batch=lambda: 17)
    monkeypatch.setitem(runs.BUILDERS, 'train', lambda case, device: toy)
    found = {'built': 1, 'peak': 2}
    monkeypatch.setattr(memory, 'measure', lambda contender, device: dict(found))
    for device, expected in (('cpu', found), ('cuda', {**found, 'largest_batch': 17})):
        memory.main(json.dumps(['train', case('fused'), device, 1]))
        assert json.loads(capsys.readouterr().out.splitlines()[-1]) == expected


def test_a_loader_loads_batches_as_the_recipe_does():
    contender = loading_contender(case('loader', 'sctnet-s-ade', (240, 250)))
    threads = cv2.getNumThreads()
    contender.call()
    assert cv2.getNumThreads() == threads
    sample = contender.call.dataset[0]
    height, width = sample['inputs'].shape[1:]
    assert (height, width) == (240, 250)
    assert sample['data_samples'].gt_sem_seg.data.shape == (1, height, width)
    assert sample['data_samples'].ori_shape == (512, 683)


def row(way, seconds, peak, largest_batch=None):
    stages = dict.fromkeys(STAGES, seconds / len(STAGES))
    found = Row('sctnet-s-ade', way, 'kept', 2, SIZE, seconds=[seconds] * 3)
    found.stages = [stages] * 3 if way != 'loader' else []
    found.memory = {'built': 1 << 20, 'peak': peak << 20}
    found.largest_batch = largest_batch
    found.loss = 3.14159265
    return found


def report(*rows):
    settings = {'command': 'x', 'repeats': 3, 'warmup': 1, 'pause': 0.0}
    return Report('train', describe_machine('cpu'), settings, {}, list(rows))


def test_table_has_ratios_to_the_reference_of_the_same_case():
    other = row('fused', 9, 9)
    other.size = (1, 1)
    failed = Row('sctnet-b-ade', 'fused', 'kept', 2, SIZE, reason='RuntimeError: no')
    text = to_markdown(
        report(row('reference', 4, 200), row('fused', 1, 50), other, failed), ['a.png']
    )
    lines = [x.strip('| ').split(' | ') for x in text.splitlines() if '| sctnet' in x]
    head = ['sctnet-s-ade', 'reference', '64x96', '4000', '4000', '1.00', '0.50']
    assert lines[0] == [*head, *['571'] * 7, '200', '1.00', '3.14159']
    assert lines[1][3:7] == ['1000', '1000', '0.25', '2.00']
    assert lines[1][-3:-1] == ['50', '0.25']
    assert lines[2][5] == lines[2][-2] == ''
    assert 'largest batch' not in text
    assert '- sctnet-b-ade, fused, batch 2: RuntimeError: no' in text
    assert '- CUDA: this run was on a CPU.' in text
    assert 'published' not in text


def test_table_shows_the_largest_batch_where_it_was_looked_for():
    rows = [row('reference', 4, 200), row('fused', 1, 50, 96), row('loader', 2, 10)]
    text = to_markdown(report(*rows), [])
    assert '| 3.14159 | 96 |' in text
    (loader,) = [line for line in text.splitlines() if '| loader |' in line]
    assert loader.count('1.00') == 1  # images a second, and no ratio
    assert '0.50' not in loader


def test_views_are_drawn_and_read_back(tmp_path):
    found = report(row('reference', 4, 200), row('fused', 1, 50), row('loader', 1, 9))
    found.save(tmp_path / 'train.json')
    loaded = Report.load(tmp_path / 'train.json')
    assert loaded == found
    markdown, picture = write_views(loaded, tmp_path)
    assert picture.name in markdown.read_text()
    drawn = cv2.imread(str(picture)).reshape(-1, 3)
    for colour in ('tab:blue', 'tab:purple', 'tab:grey'):  # two stages, and memory
        bgr = np.array([round(255 * c) for c in to_rgb(colour)[::-1]])
        assert (abs(drawn - bgr).max(axis=1) < 3).sum() > 500
    write_views(report(Row('a', 'fused', 'kept', 2, SIZE, reason='no')), tmp_path)
