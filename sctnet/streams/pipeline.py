"""Reading, segmenting and writing at the same time, in three threads."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar('T')

# Without a limit, Ctrl-C does not reach a waiting thread on Windows.
POLL_SECONDS = 0.2
# A camera that is gone can block its reading thread; nothing can end it from outside.
READER_SECONDS = 5.0


@dataclass
class StreamReport:
    """What a stream has done so far; it changes while the stream runs."""

    segmented: int = 0  # frames through the network
    written: int = 0  # of these, through the last stage
    dropped: int = 0  # frames of a camera that a newer one replaced
    skipped: list[str] = field(default_factory=list)  # one message a frame
    seconds: float = 0.0  # since the stream began
    network_seconds: float = 0.0  # of these, in the network

    @property
    def done(self) -> int:
        """Frames that need no more work."""
        return self.written + len(self.skipped)

    @property
    def fps(self) -> float:
        """Frames a second from source to result."""
        return self.written / self.seconds if self.seconds else 0.0

    @property
    def network_fps(self) -> float:
        """Frames a second of the network's time, pre- and post-processing included."""
        return self.segmented / self.network_seconds if self.network_seconds else 0.0

    def speed(self) -> str:
        """Both figures as words."""
        return f'{self.fps:.1f} FPS (network {self.network_fps:.1f})'


class Pipeline:
    """Three stages at work together: a reading thread, the caller's, a writing thread.

    ::

        items -> read -> [queue] -> segment -> [queue] -> write

    Every item passes through all stages, in order, and at most ``2 * bound + 3`` are
    under way at a time. Whatever ends the stream early (an error of a stage, Ctrl-C)
    ends all of its threads.

    Args:
        items: what to read, such as files; a generator is closed at the end, in the
            thread that ran it.
        read: turns an item into an image, in the reading thread.
        segment: turns an image into a result, in the thread that calls :meth:`run`,
            as CUDA and windows want it.
        write: consumes a result, in the writing thread.
        newest: for cameras: an image that the network has not taken when the next
            one comes is dropped.
        bound: the most images, and results, that wait.
        limit: ends the stream after so many images.
        skip: errors of ``read`` and ``segment`` that cost one frame, not the stream;
            they are told in ``report.skipped``.
        report: is kept up to date; None makes a new one.
    """

    def __init__(
        self,
        items: Iterable[Any],
        read: Callable[[Any], Any],
        segment: Callable[[Any], Any],
        write: Callable[[Any], None],
        *,
        newest: bool = False,
        bound: int = 4,
        limit: int | None = None,
        skip: type[Exception] | tuple[type[Exception], ...] = (),
        report: StreamReport | None = None,
    ) -> None:
        self.report = report or StreamReport()
        self._items, self._limit, self._skip = items, limit, skip
        self._read, self._segment, self._write = read, segment, write
        self._images: BoundedQueue[Any] = BoundedQueue(1 if newest else bound, newest)
        self._results: BoundedQueue[Any] = BoundedQueue(bound)
        self._error: BaseException | None = None
        self._start = 0.0

    def run(self, on_frame: Callable[[], bool] = lambda: False) -> StreamReport:
        """Run to the end of the items.

        Args:
            on_frame: called in this thread after each frame of the network; True ends
                the stream, and what the network has done is still written.

        Returns:
            ``report``.

        Raises:
            BaseException: what a stage raised first, or KeyboardInterrupt.
        """
        self._start = time.perf_counter()
        reader, writer = (
            threading.Thread(target=self._guard, args=(stage,), daemon=True)
            for stage in (self._read_all, self._write_all)
        )
        complete = False
        try:
            reader.start()
            writer.start()
            self._segment_all(on_frame)
            complete = True
        finally:
            self._images.close(discard=True)
            self._results.close(discard=not complete)
            _join(writer)
            _join(reader, READER_SECONDS)
            self._update()
        if self._error is not None:
            raise self._error
        return self.report

    def _guard(self, stage: Callable[[], None]) -> None:
        """Run a thread's stage; its error ends the others and waits for the caller."""
        try:
            stage()
        except BaseException as error:
            self._error = self._error or error
            self._images.close(discard=True)
            self._results.close(discard=True)

    def _read_all(self) -> None:
        items = iter(self._items)
        try:
            for item in items:
                try:
                    image = self._read(item)
                except self._skip as error:
                    self.report.skipped.append(str(error))
                    continue
                if not self._images.put(image):
                    break
        finally:
            if hasattr(items, 'close'):
                items.close()
        self._images.close()

    def _segment_all(self, on_frame: Callable[[], bool]) -> None:
        for image in islice(self._images, self._limit):
            begin = time.perf_counter()
            try:
                result = self._segment(image)
            except self._skip as error:
                self.report.skipped.append(str(error))
                continue
            self.report.network_seconds += time.perf_counter() - begin
            self.report.segmented += 1
            if not self._results.put(result):
                break
            self._update()
            if on_frame():
                break

    def _write_all(self) -> None:
        for result in self._results:
            self._write(result)
            self.report.written += 1

    def _update(self) -> None:
        self.report.dropped = self._images.dropped
        self.report.seconds = time.perf_counter() - self._start


def _join(thread: threading.Thread, seconds: float = float('inf')) -> None:
    end = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < end:
        thread.join(POLL_SECONDS)


class BoundedQueue(Generic[T]):
    """A bounded queue between two threads that either of them can end.

    Args:
        bound: the most items that wait.
        newest: a full queue drops its oldest item for a new one, and counts it in
            ``dropped``; otherwise ``put`` waits for room.
    """

    def __init__(self, bound: int, newest: bool = False) -> None:
        self.dropped = 0
        self._items: deque[T] = deque()
        self._bound = bound
        self._newest = newest
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Append ``item``; False if the queue is closed and did not take it."""
        with self._changed:
            while not (self._closed or self._newest or len(self) < self._bound):
                self._changed.wait(POLL_SECONDS)
            if self._closed:
                return False
            if len(self) >= self._bound:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            return True

    def close(self, discard: bool = False) -> None:
        """Take no more items; with ``discard``, hand out none that wait either."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        """Hand out items, waiting for more until the queue is closed."""
        while True:
            with self._changed:
                while not (self._items or self._closed):
                    self._changed.wait(POLL_SECONDS)
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
