import cv2
import numpy as np
import pytest
import torch

from sctnet.benchmark import loading
from sctnet.benchmark.case import Case
from sctnet.benchmark.training import STAGES, TrainingStep, training_contender

pytestmark = pytest.mark.slow

SIZE = (64, 96)


def case(way, model='sctnet-s-seg50'):
    return Case(model, way, 2, SIZE)


@pytest.mark.parametrize('way', ['readable', 'shortcuts'])
def test_each_stage_of_a_step_takes_time(way):
    contender = training_contender(case(way), 'cpu')
    contender.stopwatch()
    seconds = contender.stopwatch.seconds
    assert tuple(seconds) == STAGES
    assert all(value > 0 for value in seconds.values())


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
    assert step.student.shortcuts
    plain = TrainingStep(case('readable'), 'cpu')
    assert not plain.student.shortcuts
    assert plain.student.teacher.dtype is None


def test_a_loader_loads_batches_as_the_recipe_does(monkeypatch):
    monkeypatch.setattr(loading, 'SCENES', 2)
    loader = loading.Loading(Case('sctnet-s-ade', 'loader', 2, (240, 250)))
    threads = cv2.getNumThreads()
    loader()
    assert cv2.getNumThreads() == threads
    sample = loader.dataset[0]
    assert sample['inputs'].shape == (3, 240, 250)
    assert sample['data_samples'].gt_sem_seg.data.shape == (1, 240, 250)
    assert sample['data_samples'].ori_shape == (512, 683)


def test_a_loader_with_both_means_loads_the_same(monkeypatch):
    monkeypatch.setattr(loading, 'SCENES', 2)
    found = []
    for way in ('loader', 'loader+store', 'loader+crop', 'loader+store+crop'):
        made = loading.Loading(Case('sctnet-s-ade', way, 1, (240, 250)))
        steps = [type(step).__name__ for step in made.dataset.pipeline.transforms]
        assert ('LoadImageFromStore' in steps) == ('store' in way)
        assert ('RandomResizeCrop' in steps) == ('crop' in way)
        made.dataset.pipeline.transforms[-2:-1] = []  # the colours
        np.random.seed(0)
        found.append(made.dataset[0])
    for one in found[1:]:
        labels = [x['data_samples'].gt_sem_seg.data for x in (found[0], one)]
        assert torch.equal(*labels)
        assert (found[0]['inputs'].int() - one['inputs'].int()).abs().max() <= 1
