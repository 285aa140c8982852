"""An interrupt ends a stream and all its threads."""

import os
import signal
import threading
import time

import pytest
from test_stream import nap, same, threads

from sctnet.streams.pipeline import Stream


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
    stream = Stream(items(), same, same if waiting else nap, same)
    end = threading.Timer(0.3, stop.set)
    end.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        stream.run()
    assert time.monotonic() - begin < 2
    timer.join()
    end.join()
    assert not set(threads()) - set(before)
    assert stream.report.written >= 3
