import itertools

import pytest
import torch

from sctnet.benchmark import measure
from sctnet.benchmark.measure import Times, alternate


def test_contenders_take_turns_with_an_untimed_call_before_each_timed_one(monkeypatch):
    events = []
    monkeypatch.setattr(measure.time, 'sleep', lambda s: events.append(('sleep', s)))
    contenders = {name: lambda name=name: events.append(name) for name in 'ab'}

    def clock(call):
        events.append('start')
        call()
        events.append('stop')
        return float(len(events))

    told = []
    times = alternate(contenders, 2, 1, 0.25, clock, told.append)
    turn = [
        [('sleep', 0.25), name, 'start', name, 'stop'] for name in ('a', 'b', 'a', 'b')
    ]
    assert events == ['a', 'b', *itertools.chain(*turn)]
    assert told == ['a', 'b', 'a', 'b']
    assert {name: len(t.seconds) for name, t in times.items()} == {'a': 2, 'b': 2}
    assert times['a'].seconds < times['b'].seconds


def test_statistics_of_times():
    times = Times(tuple(float(x) for x in range(100, -1, -1)))
    assert (times.median, times.p95, times.fastest) == (50.0, 95.0, 0.0)
    one = Times((3.0,))
    assert one.median == one.p95 == one.fastest == 3.0


def test_matrix_products_are_what_is_counted(monkeypatch):
    monkeypatch.setitem(measure.SIZE, 'cpu', 16)
    found = measure.matmuls('cpu')
    assert measure.matmul_flops('cpu') == 2 * 16**3
    expected = found['matmul torch']()
    assert expected.shape == (16, 16)
    if measure.is_installed('onnxruntime'):
        assert list(found) == ['matmul torch', 'matmul onnxruntime']
        torch.testing.assert_close(found['matmul onnxruntime'](), expected)


def test_flops_are_two_a_multiply_add_of_convolutions():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3, padding=1), torch.nn.ReLU())
    assert measure.count_flops(network, (8, 10)) == 2 * 3 * 5 * 9 * 80
    network.only_for_training = torch.nn.Identity()
    network.only_for_training.weight = torch.nn.Parameter(torch.ones(7))
    assert measure.count_parameters(network) == 3 * 5 * 9 + 5
    assert next(network.parameters()).device.type == 'cpu'


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_cuda_clock_waits_for_the_device():
    a = torch.randn(4096, 4096, device='cuda')
    assert measure.cuda_clock(lambda: a @ a) > 1e-5
