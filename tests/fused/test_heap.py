import ctypes

import pytest
import torch

from sctnet.fused import heap
from sctnet.fused.heap import give_back_freed_memory

CPU = torch.device('cpu')


@pytest.fixture(autouse=True)
def not_cached():
    heap._trim.cache_clear()
    yield
    heap._trim.cache_clear()


def test_it_is_called_without_harm():
    x = torch.randn(1000, 100)
    total = x.sum()
    give_back_freed_memory(CPU)
    assert x.sum() == total


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
