import pytest
import torch

from sctnet.benchmark.case import Case
from sctnet.benchmark.network import network_contender
from sctnet.errors import ArgumentError

pytest.importorskip('onnxruntime')


def test_runtimes_compute_a_peer_at_the_size_of_its_input():
    results = []
    for backend in ('torch', 'onnxruntime'):
        contender = network_contender(Case('cgnet', backend, 2, (128, 224)), 'cpu')
        assert contender.input_size == (128, 224)
        results.append(contender.call())
    ours, theirs = results
    assert ours.shape == (2, 19, 128, 224)
    torch.testing.assert_close(theirs, ours, rtol=0, atol=1e-3 * float(ours.std()))


def test_pooling_that_onnx_lacks_is_said():
    with pytest.raises(ArgumentError, match='cannot be exported to ONNX'):
        network_contender(Case('fast-scnn', 'onnxruntime', 1, (64, 96)), 'cpu')
