"""Tasks in several threads: single ones that fail, and what ends all."""

import threading
import time
from contextlib import closing

import pytest

from sctnet.datasets.parallel import run_all
from sctnet.errors import ArgumentError, DataError, OutputError


@pytest.mark.parametrize('workers', [None, 0, 3])
def test_a_task_that_fails_costs_no_other_and_order_is_kept(workers):
    def square(value):
        if value % 50 == 3:
            raise DataError(f"'{value}' is odd: take another")
        return value**2

    outcomes = list(run_all(square, range(200), workers))
    assert [task for task, _ in outcomes] == list(range(200))
    for value, result in outcomes:
        if value % 50 == 3:
            assert str(result) == f"'{value}' is odd: take another"
        else:
            assert result == value**2
    assert list(run_all(square, [], workers)) == []


@pytest.mark.parametrize('error', [OutputError('the disk is full'), KeyError()])
def test_a_full_disk_or_a_fault_of_the_program_ends_all(error):
    begun = []

    def work(value):
        begun.append(value)
        if value == 2:
            raise error
        return value

    with pytest.raises(type(error)):
        list(run_all(work, range(1000), 2))
    assert len(begun) < 100


def test_tasks_run_at_the_same_time_and_only_a_few_ahead():
    together = threading.Barrier(3, timeout=20)
    handed = []

    def tasks():
        for value in range(600):
            handed.append(value)
            yield value

    outcomes = run_all(lambda _: together.wait(), tasks(), 3)
    for _ in range(30):
        next(outcomes)
    assert len(handed) < 100
    together.abort()
    with pytest.raises(threading.BrokenBarrierError):
        list(outcomes)


def test_after_closing_nothing_runs_any_more():
    begun, ended = [], []

    def work(value):
        begun.append(value)
        time.sleep(0.01)
        ended.append(value)

    with closing(run_all(work, range(1000), 2)) as outcomes:
        next(outcomes)
    assert sorted(begun) == sorted(ended)
    assert len(begun) < 100


def test_a_number_of_workers_that_cannot_be_is_an_argument_error():
    with pytest.raises(ArgumentError, match='--workers is -1: expected 0 or more'):
        list(run_all(abs, [1], -1))
