import itertools

import torch

from sctnet.benchmark import measure
from sctnet.benchmark.measure import alternate


def test_contenders_take_turns_with_an_untimed_call_before_each_timed_one(monkeypatch):
    events = []
    monkeypatch.setattr(measure.time, 'sleep', lambda s: events.append(('sleep', s)))
    calls = {name: lambda name=name: events.append(name) for name in 'ab'}
    told = []
    times = alternate(calls, 2, 1, 0.25, lambda: events.append('wait'), told.append)
    turn = [
        [('sleep', 0.25), name, 'wait', name, 'wait'] for name in ('a', 'b', 'a', 'b')
    ]
    assert events == ['a', 'b', *itertools.chain(*turn)]
    assert told == ['a', 'b', 'a', 'b']
    assert {name: len(seconds) for name, seconds in times.items()} == {'a': 2, 'b': 2}
    assert all(one > 0 for seconds in times.values() for one in seconds)


def test_flops_are_two_a_multiply_add_of_convolutions():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 5, 3, padding=1), torch.nn.ReLU())
    assert measure.count_flops(network, (8, 10)) == 2 * 3 * 5 * 9 * 80
    network.only_for_training = torch.nn.Identity()
    network.only_for_training.weight = torch.nn.Parameter(torch.ones(7))
    assert measure.count_parameters(network) == 3 * 5 * 9 + 5
    assert next(network.parameters()).device.type == 'cpu'
