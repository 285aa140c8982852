import pytest
import torch
from torch.nn import functional as F

from sctnet.models import ChannelWiseDivergence
from sctnet.models.faster_training import divergence
from sctnet.models.faster_training.divergence import summed_divergence

SHAPE = (2, 5, 7, 9)


def reference(student, teacher, temperature=4.0):
    student = student.detach().double().requires_grad_()
    ours, theirs = (
        F.log_softmax(x.double().flatten(2) / temperature, dim=2)
        for x in (student, teacher)
    )
    loss = F.kl_div(ours, theirs, reduction='sum', log_target=True)
    return loss.detach(), torch.autograd.grad(loss, student)[0]


def compute(student, teacher, temperature=4.0):
    student = student.detach().requires_grad_()
    loss = summed_divergence(student, teacher, temperature)
    return loss.detach(), torch.autograd.grad(loss, student)[0]


def draw(shape=SHAPE):
    return tuple(torch.randn(shape, dtype=torch.float64) * 5 for _ in range(2))


# Less than a channel, one, some that do not divide them, all.
@pytest.mark.parametrize('block', [1, 63, 200, 1 << 18])
@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_sum_and_gradient_are_those_of_kl_div(monkeypatch, block, temperature):
    monkeypatch.setattr(divergence, 'BLOCK', {'cpu': block})
    pair = draw()
    loss, gradient = reference(*pair, temperature)
    ours = compute(*pair, temperature)
    torch.testing.assert_close(ours[0], loss, rtol=1e-9, atol=0)
    torch.testing.assert_close(ours[1], gradient, rtol=1e-9, atol=1e-14)


def test_gradient_agrees_with_finite_differences():
    student, teacher = draw((2, 3, 3, 4))
    assert torch.autograd.gradcheck(
        lambda x: 3 * summed_divergence(x, teacher, 2.0), student.requires_grad_()
    )


def test_float32_is_near_float64_also_under_autocast(monkeypatch):
    monkeypatch.setattr(divergence, 'BLOCK', {'cpu': 2000})
    pair = [x.float() for x in draw((2, 7, 32, 48))]
    loss, gradient = reference(*pair)
    with torch.autocast('cpu', torch.bfloat16):  # changes nothing
        ours = compute(*pair)
    assert ours[0].dtype == ours[1].dtype == torch.float32
    torch.testing.assert_close(ours[0].double(), loss, rtol=1e-5, atol=0)
    atol = 1e-5 * float(gradient.abs().max())
    torch.testing.assert_close(ours[1].double(), gradient, rtol=0, atol=atol)


def test_maps_are_left_as_they_are_and_the_teacher_gets_no_gradient():
    student, teacher = draw()
    copies = student.clone(), teacher.clone()
    student.requires_grad_()
    teacher.requires_grad_()
    summed_divergence(student, teacher, 4.0).backward()
    assert teacher.grad is None
    assert torch.equal(student, copies[0])
    assert torch.equal(teacher, copies[1])


@pytest.mark.parametrize(
    ('ours', 'theirs'), [((7, 9), (7, 9)), ((4, 5), (7, 9)), ((8, 3), (5, 6))]
)
def test_the_module_computes_the_same_with_and_without_it(ours, theirs):
    student = torch.randn(2, 5, *ours, dtype=torch.float64) * 5
    teacher = torch.randn(2, 5, *theirs, dtype=torch.float64) * 5
    results = []
    for shortcuts in (True, False):
        x = student.clone().requires_grad_()
        loss = ChannelWiseDivergence(temperature=3.0)(x, teacher, shortcuts)
        loss.backward()
        results.append((loss.detach(), x.grad))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-14)
