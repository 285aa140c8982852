import threading

import pytest
import torch

from sctnet.prediction.label_map_cpu import map_parts


@pytest.fixture
def two_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(threads)


def test_results_are_in_order_and_parts_run_at_once(two_threads):
    together = threading.Barrier(2, timeout=20)

    def work(part):
        together.wait()
        return part * part

    assert map_parts(work, range(8)) == [part * part for part in range(8)]


def test_one_thread_is_the_callers():
    seen = []
    map_parts(lambda _: seen.append(threading.current_thread()), range(3))
    assert set(seen) == {threading.current_thread()}
    assert map_parts(None, []) == []


def test_an_error_of_a_part_is_raised(two_threads):
    def work(part):
        if part == 3:
            raise ZeroDivisionError
        return part

    with pytest.raises(ZeroDivisionError):
        map_parts(work, range(6))
    assert map_parts(work, range(3)) == [0, 1, 2]
