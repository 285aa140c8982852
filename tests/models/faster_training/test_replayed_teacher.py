"""When a teacher is replayed, what is compared first, and where it is given up."""

import copy
import pickle

import pytest
import torch

from sctnet.models.faster_training import replayed_teacher
from sctnet.models.faster_training.replayed_teacher import TeacherReplays
from sctnet.prediction.recorded import Recorded


class OnCPU(Recorded):
    """Replays by running; ``wrong`` returns what it was recorded with."""

    wrong = False
    replays = 0

    def __call__(self, run, x, finish=lambda outputs: outputs):
        key = x.shape, x.dtype, x.device
        if key not in self._graphs:
            self._graphs[key] = run(x)
        type(self).replays += 1
        return self._graphs[key] if self.wrong else run(x)


@pytest.fixture
def recorded(monkeypatch):
    kind = type('Fresh', (OnCPU,), {})
    monkeypatch.setattr(replayed_teacher, 'Recorded', kind)
    return kind


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        replayed_teacher, 'print_log', lambda text, *_: lines.append(text)
    )
    return lines


def double(x):
    runs.append(len(x))
    return (2 * x, [x + 1])


runs: list[int] = []


def use(replays, count, parts='parts'):
    """Which of ``count`` calls ran, as the number of runs of each."""
    counts = []
    for number in range(count):
        runs.clear()
        image = torch.full((2, 3), 1.0 + number)
        found, (more,) = replays(double, image, 'way', parts)
        assert torch.equal(found, 2 * image)
        assert torch.equal(more, image + 1)
        counts.append(len(runs))
    return counts


def test_it_is_replayed_from_the_third_batch_on_and_compared_twice(recorded, said):
    replays = TeacherReplays()
    use(replays, 8)
    assert recorded.replays == 6
    runs.clear()
    replays(double, torch.zeros(2, 3), 'way', 'parts')
    assert runs == [2]  # no comparison any more: OnCPU runs where a graph would not
    assert not said


def test_other_parts_are_recorded_anew(recorded, said):
    replays = TeacherReplays()
    use(replays, 4)
    before = recorded.replays
    use(replays, 2, parts='others')
    assert recorded.replays == before
    use(replays, 2, parts='others')
    assert recorded.replays == before + 2


def test_a_replay_that_differs_is_given_up(recorded, said):
    recorded.wrong = True
    replays = TeacherReplays()
    use(replays, 6)  # asserts right features all the while
    assert recorded.replays == 2
    assert said == [
        'the teacher is not replayed from a graph (a replay gave other features): it '
        'runs, more slowly'
    ]


def test_a_recording_that_fails_is_given_up(recorded, said, monkeypatch):
    def fail(*_):
        raise RuntimeError('operation not permitted\nwhen stream is capturing')

    monkeypatch.setattr(recorded, '__call__', fail)
    replays = TeacherReplays()
    use(replays, 5)
    assert len(said) == 1
    assert 'not permitted when stream is capturing' in said[0]


def test_copies_hold_nothing(recorded):
    replays = TeacherReplays()
    use(replays, 4)
    for twin in (copy.deepcopy(replays), pickle.loads(pickle.dumps(replays))):
        assert twin._recorded == {}
