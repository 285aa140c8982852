import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sctnet.benchmark.case import Case
from sctnet.benchmark.network import (
    MatrixPool,
    UpsampledNetwork,
    exportable,
    network_contender,
)


@pytest.mark.parametrize('size', [(7, 13), (16, 32), (5, 4)])
@pytest.mark.parametrize('out', [2, 3, (6, 2), (None, 2)])
def test_matrix_pooling_is_adaptive_average_pooling(size, out):
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(MatrixPool(out)(x), F.adaptive_avg_pool2d(x, out))


def test_only_a_copys_pooling_is_replaced():
    module = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.AdaptiveAvgPool2d(1))
    copied = exportable(module)
    assert [type(part) for part in copied] == [MatrixPool, nn.AdaptiveAvgPool2d]
    assert type(module[0]) is nn.AdaptiveAvgPool2d


@pytest.mark.parametrize('align_corners', [True, False])
def test_logits_are_upsampled_as_the_segmentor_does(align_corners):
    small, images = nn.AvgPool2d(4), torch.randn(2, 3, 32, 64)
    expected = F.interpolate(
        small(images), (32, 64), mode='bilinear', align_corners=align_corners
    )
    assert torch.equal(UpsampledNetwork(small, align_corners)(images), expected)


def test_runtimes_compute_a_peer_with_pyramid_pooling():
    pytest.importorskip('onnxruntime')
    results = []
    for backend in ('torch', 'onnxruntime'):
        contender = network_contender(Case('fast-scnn', backend, 2, (128, 224)), 'cpu')
        assert contender.input_size == (128, 224)
        results.append(contender.call())
    ours, theirs = results
    assert ours.shape == (2, 19, 128, 224)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-3 * float(ours.std()))
