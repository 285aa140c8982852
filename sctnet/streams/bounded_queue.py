"""A bounded queue between two threads."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar('T')

# Without a limit, Ctrl-C does not reach a waiting thread on Windows.
POLL_SECONDS = 0.2


class Channel(Generic[T]):
    """A bounded queue between two threads that either of them can end.

    Args:
        bound: the most items that wait.
        newest: a full channel drops its oldest item for a new one, and counts it in
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
        """Append ``item``; False if the channel is closed and did not take it."""
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
        """Hand out items, waiting for more until the channel is closed."""
        while True:
            with self._changed:
                while not (self._items or self._closed):
                    self._changed.wait(POLL_SECONDS)
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
