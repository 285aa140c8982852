import ctypes
from pathlib import Path

import pytest
import torch

from sctnet.models.shortcuts import heap
from sctnet.models.shortcuts.heap import give_back_freed_memory, give_back_in_backward

CPU = torch.device('cpu')


@pytest.fixture(autouse=True)
def not_cached():
    heap._trim.cache_clear()
    yield
    heap._trim.cache_clear()


@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='Linux alone')
def test_freed_blocks_go_back_to_the_system():
    if heap._trim() is None:
        pytest.skip('not glibc')

    def resident():
        return int(Path('/proc/self/statm').read_text().split()[1]) * 4096

    blocks = [bytearray(60_000) for _ in range(2000)]  # too small to be mapped
    del blocks[:-1]  # the last one keeps the heap's end
    before = resident()
    give_back_freed_memory(CPU)
    assert before - resident() > 80e6


def test_in_backward_it_is_called_at_each_feature(monkeypatch):
    calls = []
    monkeypatch.setattr(heap, 'give_back_freed_memory', calls.append)
    features = [torch.ones(2, requires_grad=True), torch.ones(2)]
    give_back_in_backward(features)
    sum(x.sum() for x in features).backward()
    assert calls == [CPU]
    assert (features[0].grad == 1).all()


def test_a_cpu_trims_all_and_a_gpu_nothing(monkeypatch):
    calls = []
    monkeypatch.setattr(heap, '_trim', lambda: calls.append)
    give_back_freed_memory(torch.device('cuda'))
    assert calls == []
    give_back_freed_memory(CPU)
    assert calls == [0]


def test_a_library_that_cannot_is_left_alone(monkeypatch, capfd):
    monkeypatch.setattr(heap, '_trim', lambda: None)
    give_back_freed_memory(CPU)
    assert capfd.readouterr() == ('', '')


@pytest.mark.parametrize('error', [OSError, TypeError])
def test_a_system_without_such_a_library_is_found_out(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(ctypes, 'CDLL', fail)
    assert heap._trim() is None
    monkeypatch.setattr(ctypes, 'CDLL', lambda _: object())  # no malloc_trim in it
    heap._trim.cache_clear()
    assert heap._trim() is None
