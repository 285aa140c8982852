import pytest

from sctnet.benchmark import stopwatch
from sctnet.benchmark.stopwatch import Piece, Stopwatch

STAGES = ('before', 'network', 'after', 'rest')


class Work:
    def first(self, x):
        return x + 1

    def second(self, x):
        return 2 * x

    def run(self):
        return self.second(self.first(self.first(0)))


def test_stages_add_up_and_nothing_stays_replaced(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(stopwatch.time, 'perf_counter', lambda: next(clock))
    work = Work()
    seen = []
    pieces = (Piece(work, 'first', STAGES[0]), Piece(Work, 'second', STAGES[1]))
    watch = Stopwatch(lambda: seen.append(work.run()), pieces, STAGES)
    for _ in range(2):
        watch()
        # Each look at the clock is a second: three pieces, eight looks.
        assert watch.seconds == dict(zip(STAGES, (2, 1, 0, 4), strict=True))
    assert seen == [4, 4]
    assert vars(work) == {}
    assert Work.second.__qualname__ == 'Work.second'
    assert not hasattr(Work.second, '__wrapped__')


def test_a_failing_call_restores_its_pieces():
    work = Work()
    watch = Stopwatch(
        lambda: work.first('x'), [Piece(work, 'first', STAGES[0])], STAGES
    )
    with pytest.raises(TypeError):
        watch()
    assert vars(work) == {}
