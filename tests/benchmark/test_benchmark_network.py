import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sctnet.benchmark.case import Case
from sctnet.benchmark.network import (
    MatrixPool,
    network_contender,
    run_fixed,
)
from sctnet.compat.optional_packages import is_installed

needs_onnxruntime = pytest.mark.skipif(
    not is_installed('onnxruntime'), reason='needs onnxruntime'
)


@pytest.mark.parametrize('size', [(7, 13), (16, 32), (5, 4)])
@pytest.mark.parametrize('out', [2, 3, (6, 2), (None, 2)])
def test_matrix_pooling_is_adaptive_average_pooling(size, out):
    x = torch.randn(2, 3, *size)
    torch.testing.assert_close(MatrixPool(out)(x), F.adaptive_avg_pool2d(x, out))


@needs_onnxruntime
def test_runtimes_compute_a_peer_with_pyramid_pooling():
    results = []
    for backend in ('torch', 'onnxruntime'):
        case = Case('fast-scnn', backend, 2, (128, 224))
        contender = network_contender(case, 'cpu')
        assert contender.input_size == (128, 224)
        results.append(contender.call())
    ours, theirs = results
    assert ours.shape == (2, 19, 128, 224)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-3 * float(ours.std()))


@needs_onnxruntime
def test_export_leaves_the_module_as_it_is():
    module = nn.Sequential(nn.AdaptiveAvgPool2d(3), nn.Conv2d(3, 3, 1))
    images = torch.randn(1, 3, 8, 8)
    expected = module(images)
    run = run_fixed(module, images, 'onnxruntime')
    torch.testing.assert_close(run(images), expected, rtol=1e-4, atol=1e-5)
    assert type(module[0]) is nn.AdaptiveAvgPool2d
