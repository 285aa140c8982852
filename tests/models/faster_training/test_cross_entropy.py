import pytest
import torch
from torch.nn import functional as F

from sctnet.models.faster_training import cross_entropy
from sctnet.models.faster_training.cross_entropy import upsampled_cross_entropy

CASES = {
    'whole factor': ((2, 5, 8, 8), (64, 64)),
    'no factor': ((3, 19, 5, 9), (37, 61)),
    'many rows': ((1, 8, 11, 3), (97, 10)),
    'one logit': ((2, 2, 1, 1), (3, 4)),
    'the same size': ((1, 4, 6, 7), (6, 7)),
    'shrinking': ((2, 3, 9, 10), (4, 3)),
    'one axis shrinks': ((2, 3, 9, 4), (4, 30)),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(cross_entropy, 'ON_CPU', 200)


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


def draw(shape=(2, 4, 5, 5), size=(13, 13), ignored=True):
    logits = torch.randn(shape, dtype=torch.float64) * 5
    labels = torch.randint(0, shape[1], (shape[0], *size))
    if ignored:
        labels[torch.rand(labels.shape) < 0.2] = 255
    return logits, labels


def assert_exact(ours, expected):
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


def assert_near(ours, expected, rtol):
    """Compare, elements with the largest of them."""
    atol = rtol * float(expected.abs().max())
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=atol)


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('weighted', [False, True])
def test_loss_hits_and_gradient_are_those_of_upsampled_logits(case, weighted):
    logits, labels = draw(*CASES[case])
    weight = torch.rand(logits.shape[1], dtype=torch.float64) if weighted else None
    ours = compute(logits, labels, weight)
    assert_exact(ours, reference(logits, labels, weight))
    last = logits.contiguous(memory_format=torch.channels_last)
    transposed = labels.int().transpose(1, 2).contiguous().transpose(1, 2)
    assert_exact(compute(last, transposed, weight), ours)


# Less than a row, a few rows, an image, two images.
@pytest.mark.parametrize('block', [1, 350, 1500, 3100])
def test_block_size_does_not_matter(monkeypatch, block):
    monkeypatch.setattr(cross_entropy, 'ON_CPU', block)
    batch = draw((3, 5, 4, 6), (15, 20))
    assert_exact(compute(*batch), reference(*batch))


@pytest.mark.parametrize('scale', [1, 1000])
def test_float32_is_near_float64_and_large_logits_do_not_overflow(scale):
    logits, labels = draw((2, 5, 6, 8), (21, 30))
    logits, weight = logits.float() * scale, torch.rand(5)
    loss, correct, gradient = reference(logits, labels, weight.double())
    ours = compute(logits, labels, weight)
    assert ours[0].dtype == ours[2].dtype == torch.float32
    assert_near(ours[0], loss, 1e-5)
    assert ours[1] == correct
    assert_near(ours[2], gradient, 1e-5 if scale == 1 else 1e-3)


def test_gradient_agrees_with_finite_differences():
    logits, labels = draw((2, 3, 3, 4), (7, 11))
    weight = torch.rand(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: 3 * upsampled_cross_entropy(x, labels, weight)[0],
        logits.requires_grad_(),
    )


@pytest.mark.parametrize('ignore_index', [0, 3, -100])
def test_any_label_can_be_the_one_to_ignore(ignore_index):
    logits, labels = draw(ignored=False)
    labels[:, 2:5] = ignore_index
    expected = reference(logits, labels, None, ignore_index)
    assert_exact(compute(logits, labels, None, ignore_index), expected)


def test_a_label_among_equal_classes_is_not_met():
    labels = torch.tensor([[[0, 1, 2], [2, 1, 0]]])
    logits = torch.zeros(1, 3, 2, 3)
    assert upsampled_cross_entropy(logits, labels)[1] == 0
    logits[:, 1:] = -1  # equal, and less than the first
    assert upsampled_cross_entropy(logits, labels)[1] == 2


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_a_loss_of_what_is_no_number_is_none(value):
    logits = torch.zeros(1, 3, 4, 4)
    logits[0, 1, 2, 2] = value
    labels = torch.ones(1, 8, 8, dtype=torch.int64)
    assert not upsampled_cross_entropy(logits, labels)[0].isfinite()


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(kind):
    logits, labels = draw()
    logits = logits.to(kind).requires_grad_()
    exact, right, gradient = reference(logits, labels)
    with torch.autocast('cpu', torch.bfloat16):  # changes nothing
        loss, correct = upsampled_cross_entropy(logits, labels)
    assert loss.dtype == torch.float32
    assert_near(loss.detach(), exact, 1e-5)
    assert correct == right
    loss.backward()
    assert logits.grad.dtype == kind
    assert_near(logits.grad, gradient, 1e-2)
