"""Ordered, lossless, bounded, overlapped, and over as soon as a stage fails."""

import os
import signal
import threading
import time

import pytest

from sctnet.streams.pipeline import Pipeline, StreamReport

STUCK_SECONDS = 10


def nap(value):
    time.sleep(0.02)
    return value


def same(value):
    return value


def threads():
    return [thread for thread in threading.enumerate() if thread.daemon]


def run(pipeline, **options):
    """Run it as a caller would, and fail rather than hang."""
    outcome = []

    def caller():
        try:
            outcome.append(pipeline.run(**options))
        except BaseException as error:
            outcome.append(error)

    before = threads()
    thread = threading.Thread(target=caller, daemon=True)
    thread.start()
    thread.join(STUCK_SECONDS)
    assert not thread.is_alive(), 'the pipeline hangs'
    assert not set(threads()) - set(before), 'a thread is left'
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


@pytest.mark.parametrize('slow', ['read', 'segment', 'write'])
def test_every_frame_comes_out_in_order_whichever_stage_is_slow(slow):
    written = []
    stages = {'read': same, 'segment': lambda x: x * 10, 'write': written.append}
    fast = stages[slow]
    stages[slow] = lambda value: fast(nap(value))
    report = run(Pipeline(range(30), **stages, bound=2))
    assert written == [10 * i for i in range(30)]
    assert (report.segmented, report.written, report.dropped) == (30, 30, 0)
    assert report.done == 30
    assert 0 < report.fps <= 30 / report.seconds + 1e-9


def test_stages_overlap():
    together = threading.Barrier(3, timeout=STUCK_SECONDS)

    def stage(number):
        def meet(value):
            if value == number:  # the next stage is one frame behind
                together.wait()
            return nap(value)

        return meet

    report = run(Pipeline(range(15), stage(9), stage(8), stage(7)))
    assert report.written == 15
    assert 0 < report.fps < report.network_fps <= 50.5
    assert report.speed() == f'{report.fps:.1f} FPS (network {report.network_fps:.1f})'


@pytest.mark.parametrize('bound', [1, 3])
def test_frames_under_way_are_bounded(bound):
    read, most = [], []

    def write(value):
        nap(value)
        most.append(len(read) - value)

    read_one = lambda value: read.append(value) or value  # noqa: E731
    run(Pipeline(range(20), read_one, same, write, bound=bound))
    assert bound < max(most) <= 2 * bound + 3


def camera(seconds, interval=0.001):
    """Number frames as a camera does: it waits for nobody."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield number
        number += 1
        time.sleep(interval)


def test_a_camera_that_outruns_the_network_gives_its_newest_frame():
    read, ages, written = [], [], []

    def segment(value):
        ages.append(read[-1] - value)
        return nap(value)

    pipeline = Pipeline(
        camera(0.4), lambda v: read.append(v) or v, segment, written.append, newest=True
    )
    report = run(pipeline)
    assert written == sorted(written)
    assert report.dropped > len(written) > 5
    assert report.dropped + len(written) == len(read)
    # an older frame would be some 20 behind
    assert sorted(ages)[len(ages) // 2] <= 2
    assert written[-1] == read[-1]


def broken_items(count):
    yield from range(count)
    raise ValueError('items broke')


def break_at(number, name):
    def stage(value):
        if value == number:
            nap(value)  # until the others wait, for room or for a frame
            raise ValueError(f'{name} broke')
        return value

    return stage


@pytest.mark.parametrize('number', [0, 7])
@pytest.mark.parametrize('stage', ['items', 'read', 'segment', 'write'])
def test_an_error_of_any_stage_stops_all_and_reaches_the_caller(stage, number):
    stages = {'items': iter(range(10**9)), 'read': same, 'segment': same, 'write': same}
    stages[stage] = (
        broken_items(number) if stage == 'items' else break_at(number, stage)
    )
    begin = time.monotonic()
    with pytest.raises(ValueError, match=f'{stage} broke'):
        run(Pipeline(**stages, bound=2))
    assert time.monotonic() - begin < 1


def test_a_source_that_blocks_for_ever_does_not_hold_the_caller(monkeypatch):
    monkeypatch.setattr('sctnet.streams.pipeline.READER_SECONDS', 0.3)
    release = threading.Event()

    def blocked():
        yield 0
        release.wait(STUCK_SECONDS)

    begin = time.monotonic()
    with pytest.raises(ValueError, match='broke'):
        Pipeline(blocked(), same, break_at(0, 'segment'), same).run()
    assert time.monotonic() - begin < 2
    release.set()


def test_skipped_errors_cost_one_frame_each():
    written = []
    pipeline = Pipeline(
        range(6),
        break_at(1, 'read'),
        break_at(4, 'segment'),
        written.append,
        skip=ValueError,
    )
    report = run(pipeline)
    assert written == [0, 2, 3, 5]
    assert sorted(report.skipped) == ['read broke', 'segment broke']
    assert report.done == 6


def test_the_caller_can_end_it_and_what_was_segmented_is_written():
    closed, seen = [], []

    def endless():
        try:
            yield from iter(int, 1)
        finally:
            closed.append(threading.current_thread())

    pipeline = Pipeline(endless(), same, same, nap, report=StreamReport())
    report = run(pipeline, on_frame=lambda: seen.append(0) or len(seen) == 5)
    assert (report.segmented, report.written) == (5, 5)
    # closed where it ran: a capture must not be released while it is read
    assert closed
    assert closed[0] is not threading.main_thread()
    report = run(Pipeline(endless(), same, same, same, limit=3))
    assert (report.segmented, report.written) == (3, 3)


@pytest.mark.parametrize('waiting', [True, False])
def test_interrupt_ends_all_threads(waiting, interruptible):
    """While the network waits for a frame, and while it is at work."""

    def items():
        yield from range(3)
        timer.start()
        while waiting and not stop.wait(0.01):
            pass
        yield from iter(int, 1)

    stop = threading.Event()
    before = threads()
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    pipeline = Pipeline(items(), same, same if waiting else nap, same)
    end = threading.Timer(0.3, stop.set)
    end.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pipeline.run()
    assert time.monotonic() - begin < 2
    timer.join()
    end.join()
    assert not set(threads()) - set(before)
    assert pipeline.report.written >= 3
