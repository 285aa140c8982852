import pytest
import torch

from sctnet.engine import VaryingSizesHook

SMALL, LARGE = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 16)


@pytest.fixture(autouse=True)
def benchmark(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', True)


def run(part, *inputs):
    """Whether cuDNN tunes at each batch of a validation or test, and after it."""
    hook = VaryingSizesHook()
    getattr(hook, f'before_{part}_epoch')(None)
    found = []
    for number, images in enumerate(inputs):
        getattr(hook, f'before_{part}_iter')(None, number, {'inputs': images})
        found.append(torch.backends.cudnn.benchmark)
    getattr(hook, f'after_{part}_epoch')(None, {})
    return [*found, torch.backends.cudnn.benchmark]


@pytest.mark.parametrize('part', ['val', 'test'])
def test_the_second_size_ends_tuning_until_the_end(part):
    assert run(part, SMALL, SMALL, LARGE, SMALL) == [True, True, False, False, True]
    assert run(part, SMALL, SMALL) == [True, True, True]


def test_lists_are_looked_into():
    assert run('val', [SMALL[0], SMALL[0]]) == [True, True]
    augmented = [[SMALL[0]], [LARGE[0]]]
    assert run('test', augmented) == [False, True]


def test_what_was_off_stays_off():
    torch.backends.cudnn.benchmark = False
    assert run('val', SMALL, LARGE) == [False, False, False]


def test_batches_of_another_kind_change_nothing():
    assert run('val', None, 'text') == [True, True, True]
