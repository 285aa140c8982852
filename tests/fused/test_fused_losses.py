import pytest
import torch
from torch.nn import functional as F

from sctnet.errors import DataError
from sctnet.fused import cross_entropy
from sctnet.fused.cross_entropy import upsampled_cross_entropy
from sctnet.fused.divergence import summed_divergence
from sctnet.fused.interpolation import upsampled_covariance, upsampled_std_mean


@pytest.fixture(params=['kernel', 'blocks'], autouse=True)
def implementation(request, monkeypatch):
    start = 0 if request.param == 'kernel' else 1 << 62
    monkeypatch.setattr(cross_entropy, 'KERNEL_FROM', start)
    monkeypatch.setattr(cross_entropy, 'BLOCK', {'cpu': 200})
    return request.param


def reference(logits, labels, weight=None):
    logits = logits.double().clone().requires_grad_()
    upsampled = F.interpolate(logits, labels.shape[1:], mode='bilinear')
    loss = F.cross_entropy(upsampled, labels, weight, ignore_index=255, reduction='sum')
    correct = (upsampled.argmax(dim=1) == labels).sum()
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), correct, gradient


@pytest.mark.parametrize(
    ('shape', 'size'),
    [((2, 5, 8, 8), (64, 64)), ((3, 19, 5, 9), (37, 61)), ((1, 3, 9, 9), (4, 5))],
)
def test_cross_entropy_and_gradient_are_those_of_the_upsampled_logits(shape, size):
    logits = torch.randn(shape, dtype=torch.float64) * 5
    labels = torch.randint(0, shape[1], (shape[0], *size))
    labels[:, 1:3] = 255
    weight = torch.rand(shape[1], dtype=torch.float64)
    expected = reference(logits, labels, weight)
    for kind, rtol in ((torch.float64, 1e-9), (torch.float32, 1e-5)):
        low = logits.to(kind, copy=True).requires_grad_()
        loss, correct = upsampled_cross_entropy(low, labels, weight.to(kind))
        loss.backward()
        torch.testing.assert_close(loss.double(), expected[0], rtol=rtol, atol=0)
        assert int(correct) == int(expected[1])
        atol = rtol * float(expected[2].abs().max())
        torch.testing.assert_close(low.grad.double(), expected[2], rtol=0, atol=atol)


def test_gradients_agree_with_finite_differences():
    logits = torch.randn(2, 3, 3, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 3, (2, 7, 11))
    assert torch.autograd.gradcheck(
        lambda x: upsampled_cross_entropy(x, labels)[0], logits
    )
    teacher = torch.randn(2, 3, 3, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: summed_divergence(x, teacher, 4.0), logits
    )
    assert torch.autograd.gradcheck(
        lambda x: upsampled_covariance(x, (7, 9))[1], logits
    )


def test_ignored_labels_alone_give_no_loss_and_no_gradient():
    logits = torch.randn(2, 4, 3, 3, requires_grad=True)
    loss, correct = upsampled_cross_entropy(logits, torch.full((2, 9, 9), 255))
    loss.backward()
    assert loss == 0
    assert correct == 0
    assert (logits.grad == 0).all()


def test_the_first_of_equal_classes_is_the_prediction():
    labels = torch.tensor([[[0, 1], [1, 0]]])
    assert upsampled_cross_entropy(torch.zeros(1, 3, 2, 2), labels)[1] == 2


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_what_is_no_number_stays_none(value):
    logits = torch.zeros(1, 3, 4, 4)
    logits[0, 1, 2, 2] = value
    labels = torch.zeros(1, 8, 8, dtype=torch.int64)
    assert not upsampled_cross_entropy(logits, labels)[0].isfinite()


def test_labels_outside_the_classes_are_an_error():
    with pytest.raises(DataError, match=r'hold \[7\], outside the 3 classes'):
        upsampled_cross_entropy(torch.zeros(1, 3, 2, 2), torch.full((1, 4, 4), 7))


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_also_under_autocast(kind):
    logits = torch.randn(1, 5, 4, 4).to(kind)
    labels = torch.randint(0, 5, (1, 16, 16))
    expected = upsampled_cross_entropy(logits.float(), labels)[0]
    with torch.autocast('cpu', torch.bfloat16):
        loss = upsampled_cross_entropy(logits, labels)[0]
    assert loss.dtype == torch.float32
    assert loss == expected


def test_moments_are_those_of_the_upsampled_map():
    x = torch.randn(2, 4, 5, 9) + 50
    for size in ((10, 17), (5, 9)):
        upsampled = F.interpolate(x.double(), size, mode='bilinear')
        flat = upsampled.transpose(0, 1).flatten(1)
        covariance = upsampled_covariance(x.double(), size)[1]
        torch.testing.assert_close(covariance, torch.cov(flat), rtol=1e-9, atol=1e-12)
        single = upsampled_covariance(x, size)[1].double()
        torch.testing.assert_close(single, torch.cov(flat), rtol=0, atol=1e-5)
        pairs = zip(
            upsampled_std_mean(x.double(), size),
            torch.std_mean(flat, dim=1),
            strict=True,
        )
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=0)
