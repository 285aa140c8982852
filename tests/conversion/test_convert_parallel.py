"""Tasks in several processes, single ones of which fail or die."""

import os
import signal
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from sctnet.datasets.parallel import _run_pool, default_workers, run_all
from sctnet.errors import DataError, OutputError


@dataclass(frozen=True)
class Number:
    name: str
    value: int


NUMBERS = [Number(f'n{value}', value) for value in range(40)]


def square(task):
    if task.value == 3:
        raise DataError("'three' is odd: take another")
    if task.value == 5:
        raise ValueError('five\nlines')
    if task.value == 33:
        raise MemoryError
    return task.value**2


def die_at_seven(task):
    if task.value == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(task)


def full_at_nine(task):
    if task.value == 9:
        raise OutputError('the disk is full: make room')
    return square(task)


EXPECTED_FAILURES = {
    3: "'three' is odd: take another",
    5: "'n5' failed (ValueError: five lines): check that file",
    33: "'n33' failed (MemoryError:): check that file",
}


def run(function, workers):
    outcomes = {o.task.value: o for o in run_all(function, NUMBERS, workers)}
    assert sorted(outcomes) == list(range(40))
    return outcomes


@pytest.mark.parametrize('workers', [0, 2])
def test_a_task_that_fails_costs_no_other(workers):
    outcomes = run(square, workers)
    failures = {v: o.failure for v, o in outcomes.items() if o.failure}
    assert failures == EXPECTED_FAILURES
    assert all(o.value == v**2 for v, o in outcomes.items() if not o.failure)


def test_a_task_that_kills_its_process_costs_no_other():
    outcomes = run(die_at_seven, 2)
    failures = {v: o.failure for v, o in outcomes.items() if o.failure}
    assert 'ended its process' in failures.pop(7)
    assert failures == EXPECTED_FAILURES


@pytest.mark.parametrize('workers', [0, 2])
def test_results_that_cannot_be_written_end_all(workers):
    with pytest.raises(OutputError, match='the disk is full: make room'):
        list(run_all(full_at_nine, NUMBERS, workers))


def test_no_task_is_no_work():
    assert list(run_all(square, [], 2)) == []


def test_workers_are_as_many_as_the_cores_of_this_process_and_none_for_few_tasks():
    assert 1 <= default_workers(1000) <= min(16, os.cpu_count())
    assert default_workers(3) == 0


@pytest.mark.usefixtures('interruptible')
def test_an_interrupt_while_processes_start_ends_the_run_once_they_have():
    class Interrupting(deque):
        """Interrupts this process when the second task is handed out."""

        def popleft(self):
            if len(self) == 39:
                os.kill(os.getpid(), signal.SIGINT)
            handed.append(self[0].value)
            return super().popleft()

    handed = []
    with pytest.raises(KeyboardInterrupt):
        list(_run_pool(square, Interrupting(NUMBERS), 2))
    assert handed == list(range(8))  # not cut off at the second


def test_a_thread_that_gets_no_signals_can_run_all():
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(lambda: list(run_all(square, NUMBERS, 2))).result()
    assert len(outcomes) == 40
