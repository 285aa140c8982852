import sys

import pytest
import torch
from torch.nn import functional as F

from sctnet.errors import DataError
from sctnet.models.shortcuts import cross_entropy
from sctnet.models.shortcuts.cross_entropy import upsampled_cross_entropy

CASES = {
    'whole factor': ((2, 5, 8, 8), (64, 64)),
    'no factor': ((3, 19, 5, 9), (37, 61)),
    'many rows': ((1, 8, 11, 3), (97, 10)),
    'one logit': ((2, 2, 1, 1), (3, 4)),
    'the same size': ((1, 4, 6, 7), (6, 7)),
    'shrinking': ((2, 3, 9, 10), (4, 3)),
    'one axis shrinks': ((2, 3, 9, 4), (4, 30)),
}


@pytest.fixture(params=['kernel', 'blocks'])
def way(request, monkeypatch):
    """Either implementation, and the others made unreachable."""

    def unreachable(*_):
        raise AssertionError('the other implementation was called')

    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', 0)
    if request.param == 'kernel':
        monkeypatch.setattr(cross_entropy, 'blocked_cross_entropy', unreachable)
    else:
        monkeypatch.setattr(cross_entropy, '_numba_kernel', lambda: None)
        monkeypatch.setattr(cross_entropy, 'BLOCK', {'cpu': 200})
    return request.param


def reference(logits, labels, weight=None, ignore_index=255):
    logits = logits.detach().double().requires_grad_()
    upsampled = F.interpolate(logits, labels.shape[1:], mode='bilinear')
    loss = F.cross_entropy(
        upsampled, labels, weight, ignore_index=ignore_index, reduction='sum'
    )
    right = (upsampled.argmax(dim=1) == labels) & (labels != ignore_index)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), right.sum(), gradient


def compute(logits, labels, *args):
    logits = logits.detach().requires_grad_()
    loss, correct = upsampled_cross_entropy(logits, labels, *args)
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), correct, gradient


def draw(shape, size, ignored=True):
    logits = torch.randn(shape, dtype=torch.float64) * 5
    labels = torch.randint(0, shape[1], (shape[0], *size))
    if ignored:
        labels[torch.rand(labels.shape) < 0.2] = 255
    return logits, labels


def assert_close(ours, expected, rtol):
    """Compare, elements with the largest of them."""
    atol = rtol * float(expected.abs().max())
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=atol)


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('weighted', [False, True])
def test_loss_hits_and_gradient_are_those_of_upsampled_logits(way, case, weighted):
    logits, labels = draw(*CASES[case])
    weight = torch.rand(logits.shape[1], dtype=torch.float64) if weighted else None
    loss, correct, gradient = reference(logits, labels, weight)
    ours = compute(logits, labels, weight)
    torch.testing.assert_close(ours[0], loss, rtol=1e-9, atol=0)
    assert ours[1].dtype == torch.int64
    assert ours[1] == correct
    torch.testing.assert_close(ours[2], gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('case', CASES)
def test_float32_is_near_float64(way, case):
    logits, labels = draw(*CASES[case])
    logits = logits.float()
    weight = torch.rand(logits.shape[1])
    loss, correct, gradient = reference(logits, labels, weight.double())
    ours = compute(logits, labels, weight)
    assert ours[0].dtype == ours[2].dtype == torch.float32
    assert_close(ours[0], loss, 1e-5)
    assert ours[1] == correct
    assert_close(ours[2], gradient, 1e-5)


def test_large_logits_do_not_overflow(way):
    logits, labels = draw((1, 5, 4, 4), (16, 16))
    logits = logits.float() * 1000
    loss, _, gradient = reference(logits, labels)
    ours = compute(logits, labels)
    assert_close(ours[0], loss, 1e-5)
    assert_close(ours[2], gradient, 1e-3)


def test_layout_of_logits_and_labels_does_not_matter(way):
    logits, labels = draw((2, 5, 6, 8), (21, 30))
    expected = compute(logits, labels)
    last = logits.contiguous(memory_format=torch.channels_last)
    transposed = labels.transpose(1, 2).contiguous().transpose(1, 2)
    for ours in (compute(last, transposed), compute(last, labels.int())):
        for a, b in zip(ours, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_gradient_agrees_with_finite_differences(way):
    logits, labels = draw((2, 3, 3, 4), (7, 11))
    weight = torch.rand(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: 3 * upsampled_cross_entropy(x, labels, weight)[0],
        logits.requires_grad_(),
    )


def test_ignored_labels_alone_give_no_loss_and_no_gradient(way):
    logits, _ = draw((2, 4, 3, 3), (9, 9))
    loss, correct, gradient = compute(logits, torch.full((2, 9, 9), 255))
    assert loss == 0
    assert correct == 0
    assert (gradient == 0).all()


def test_a_class_can_be_the_one_to_ignore(way):
    logits, labels = draw((2, 4, 5, 5), (13, 13), ignored=False)
    for ignore_index in (0, 3):
        expected = reference(logits, labels, None, ignore_index)
        ours = compute(logits, labels, None, ignore_index)
        for a, b in zip(ours, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_a_negative_label_can_be_the_one_to_ignore(way):
    logits, labels = draw((2, 4, 5, 5), (13, 13), ignored=False)
    labels[:, 2:5] = -100
    expected = reference(logits, labels, None, -100)
    ours = compute(logits, labels, None, -100)
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_a_label_among_equal_classes_is_not_met(way):
    labels = torch.tensor([[[0, 1, 2], [2, 1, 0]]])
    assert upsampled_cross_entropy(torch.zeros(1, 3, 2, 3), labels)[1] == 0
    logits = torch.zeros(1, 3, 2, 3)
    logits[:, 1:] = -1  # equal, and less than the first
    assert upsampled_cross_entropy(logits, labels)[1] == 2


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_a_loss_of_what_is_no_number_is_none(monkeypatch, value):
    def unreachable():  # which knows no infinities
        raise AssertionError('the kernel was asked for')

    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', 0)
    monkeypatch.setattr(cross_entropy, '_numba_kernel', unreachable)
    logits = torch.zeros(1, 3, 4, 4)
    logits[0, 1, 2, 2] = value
    labels = torch.ones(1, 8, 8, dtype=torch.int64)
    assert not upsampled_cross_entropy(logits, labels)[0].isfinite()


@pytest.mark.parametrize('label', [3, 254, -1])
def test_labels_outside_the_classes_are_an_error(way, label):
    labels = torch.full((1, 4, 4), 255)
    labels[0, 1, 1] = label
    with pytest.raises(DataError, match=rf'labels \[{label}\] outside the 3 classes'):
        upsampled_cross_entropy(torch.zeros(1, 3, 2, 2), labels)


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(way, kind):
    logits, labels = draw((2, 5, 4, 4), (15, 16))
    logits = logits.to(kind).requires_grad_()
    loss, correct = upsampled_cross_entropy(logits, labels)
    exact, right, gradient = reference(logits, labels)
    assert loss.dtype == torch.float32
    assert_close(loss.detach(), exact, 1e-5)
    assert correct == right
    loss.backward()
    assert logits.grad.dtype == kind
    assert_close(logits.grad, gradient, 1e-2)


def test_autocast_changes_nothing(way):
    logits, labels = draw((2, 5, 4, 4), (15, 16))
    logits, weight = logits.float(), torch.rand(5)
    expected = compute(logits, labels, weight)
    with torch.autocast('cpu', torch.bfloat16):
        ours = compute(logits, labels, weight)
    for a, b in zip(ours, expected, strict=True):
        assert torch.equal(a, b)
        assert a.dtype == b.dtype


def test_bits_do_not_depend_on_the_number_of_threads(way, monkeypatch):
    monkeypatch.setattr(cross_entropy, 'BLOCK', {'cpu': 1 << 18})
    logits, labels = draw((2, 19, 16, 20), (128, 160))
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(compute(logits.float(), labels))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


def test_block_size_does_not_matter(monkeypatch):
    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', 1 << 62)
    logits, labels = draw((3, 5, 4, 6), (15, 20))
    expected = reference(logits, labels)
    # Less than a row, a few rows, an image, two images.
    for block in (1, 350, 1500, 3100):
        monkeypatch.setattr(cross_entropy, 'BLOCK', {'cpu': block})
        for a, b in zip(compute(logits, labels), expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_the_kernel_is_for_many_values_and_for_who_has_numba(monkeypatch):
    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', 2 * 5 * 16 * 16)
    asked = []
    monkeypatch.setattr(cross_entropy, '_numba_kernel', lambda: asked.append(1))
    for size in ((16, 15), (16, 16)):
        logits, labels = draw((2, 5, 4, 4), size)
        loss, *_ = compute(logits, labels)
        assert_close(loss, reference(logits, labels)[0], 1e-9)
    assert len(asked) == 1


def test_numba_that_cannot_be_imported_is_said_once(monkeypatch):
    asked, said = [], []

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == 'sctnet.models.shortcuts.cross_entropy_kernel':
                asked.append(name)
                raise ImportError('needs NumPy 1')

    monkeypatch.delitem(
        sys.modules, 'sctnet.models.shortcuts.cross_entropy_kernel', raising=False
    )
    monkeypatch.setattr(sys, 'meta_path', [Broken(), *sys.meta_path])
    monkeypatch.setattr(cross_entropy, 'print_log', lambda text, **_: said.append(text))
    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', 0)
    cross_entropy._numba_kernel.cache_clear()
    try:
        logits, labels = draw((2, 4, 5, 5), (13, 13))
        for _ in range(2):
            loss, *_ = compute(logits, labels)
            assert_close(loss, reference(logits, labels)[0], 1e-9)
    finally:
        cross_entropy._numba_kernel.cache_clear()
    assert len(asked) == 1
    (text,) = said
    assert 'needs NumPy 1' in text
    assert 'set NUMBA_CACHE_DIR' in text
