import pytest
import torch
from torch.nn import functional as F

from sctnet.models.faster_training.interpolation import (
    interpolation_matrix,
    upsampled_covariance,
    upsampled_std_mean,
)

SIZES = [
    ((5, 9), (10, 18)),
    ((5, 9), (13, 31)),
    ((16, 24), (32, 47)),
    ((7, 6), (7, 13)),
    ((9, 8), (4, 3)),
    ((1, 1), (3, 2)),
    ((5, 9), (5, 9)),
]


def upsample(x, size):
    return F.interpolate(x, size, mode='bilinear', align_corners=False)


def flat(x):
    return x.transpose(0, 1).flatten(1)


@pytest.mark.parametrize(
    ('source', 'target'),
    [(5, 10), (5, 13), (16, 128), (47, 187), (9, 4), (20, 7), (1, 4), (6, 6), (4, 1)],
)
def test_the_matrix_is_what_interpolate_does(source, target):
    for kind, atol in ((torch.float64, 1e-14), (torch.float32, 1e-6)):
        x = torch.randn(1, 3, source, dtype=kind)
        matrix = interpolation_matrix(source, target, x)
        assert matrix.shape == (target, source)
        assert matrix.dtype == kind
        expected = F.interpolate(x, target, mode='linear', align_corners=False)
        torch.testing.assert_close(x @ matrix.t(), expected, rtol=0, atol=atol)
        ones = torch.ones(target, dtype=kind)
        torch.testing.assert_close(matrix.sum(dim=1), ones, rtol=0, atol=atol)


def test_a_matrix_made_without_gradients_serves_training_too():
    with torch.inference_mode():
        interpolation_matrix(3, 1234, torch.zeros(1))
    matrix = interpolation_matrix(3, 1234, torch.zeros(1))
    x = torch.randn(2, 3, requires_grad=True)
    (x @ matrix.t()).sum().backward()
    torch.testing.assert_close(x.grad, matrix.sum(dim=0).expand(2, 3))


@pytest.mark.parametrize(('source', 'size'), SIZES)
def test_moments_are_those_of_the_upsampled_map(source, size):
    x = torch.randn(2, 4, *source, dtype=torch.float64) * 3 + 2
    x[:, 3] += x[:, 0]
    upsampled, before = upsample(x, size), x.clone()
    centred, covariance = upsampled_covariance(x, size)
    mean = upsampled.mean(dim=(0, 2, 3), keepdim=True)
    ours = covariance, centred, *upsampled_std_mean(x, size)
    std_mean = torch.std_mean(upsampled, dim=(0, 2, 3))
    expected = torch.cov(flat(upsampled)), x - mean, *std_mean
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    assert torch.equal(x, before)


@pytest.mark.parametrize(('source', 'size'), SIZES)
def test_a_large_mean_does_not_hide_a_small_spread(source, size):
    x = torch.randn(2, 4, *source) / 10 + 50
    upsampled = flat(upsample(x.double(), size))
    covariance = upsampled_covariance(x, size)[1].double()
    expected = torch.cov(upsampled)
    atol = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(covariance, expected, rtol=0, atol=atol)
    std, mean = upsampled_std_mean(x, size)
    theirs = torch.std_mean(upsampled, dim=1)
    torch.testing.assert_close(std.double(), theirs[0], rtol=1e-5, atol=0)
    torch.testing.assert_close(mean.double(), theirs[1], rtol=1e-6, atol=0)


@pytest.mark.parametrize('size', [(7, 9), (3, 4), (2, 5)])
def test_gradients_agree_with_finite_differences(size):
    x = torch.randn(2, 3, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: upsampled_covariance(x, size), x)


@pytest.mark.parametrize('size', [(13, 31), (5, 9), (3, 4)])
def test_constant_channels_have_no_spread(size):
    x = torch.rand(3).view(1, 3, 1, 1).expand(2, 3, 5, 9).contiguous()
    std, mean = upsampled_std_mean(x, size)
    torch.testing.assert_close(mean, x[0, :, 0, 0])
    assert (std < 1e-6).all()
    assert upsampled_covariance(x, size)[1].abs().max() < 1e-12
