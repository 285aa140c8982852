"""Processes of one run that watch each other, so that none waits for a dead one.

gloo and NCCL wait up to half an hour for a process that hangs, or whose machine is
gone. Here every process writes a growing number into the store at ``MASTER_ADDR`` and
reads the others'. These are threads of their own: what a process computes, loads or
writes for however long does not keep its number from growing.
"""

import itertools
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NoReturn

from mmengine.dist import get_rank, get_world_size
from mmengine.logging import print_log

INTERVAL = 5.0  # seconds between two beats
SILENT_BEATS = 9  # without a word, after which a process counts as gone
GRACE_BEATS = 2  # for a process to end by itself, with an error of its own
_ENDS = {b'failed': 'ended with an error', b'interrupted': 'was interrupted'}
_runs = itertools.count()


class Liveness:
    """Beats of this process, and what is known of the others.

    Args:
        store: has ``set``, ``check`` and ``get``, such as torch's ``TCPStore``.
        rank: of this process.
        world_size: number of processes.
        key: names the run in the store.
        end: called with a sentence when another process is gone.
        interval: seconds between two beats.
    """

    def __init__(
        self,
        store: Any,
        rank: int,
        world_size: int,
        key: str,
        end: Callable[[str], Any],
        interval: float = INTERVAL,
    ) -> None:
        self._store, self._rank, self._key = store, rank, key
        self._others = [other for other in range(world_size) if other != rank]
        self._end, self._interval = end, interval
        self._heard: dict[int | None, Any] = {}
        self._talks = 0
        self._stop = threading.Event()
        # The store may keep one waiting where its process hangs: two threads.
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._talk, self._judge)
        ]

    def start(self) -> None:
        """Begin to beat and to listen."""
        for thread in self._threads:
            thread.start()

    def leave(self, last: str) -> None:
        """Stop, and let others hear ``last``: 'ended', 'failed' or 'interrupted'."""
        self._stop.set()
        with suppress(Exception):  # it may be gone
            self._store.set(self._name(self._rank), last)

    def _name(self, rank: int) -> str:
        return f'{self._key}/{rank}'

    def _talk(self) -> None:
        for beat in itertools.count():
            try:
                self._store.set(self._name(self._rank), str(beat))
                for other in self._others:
                    # 'get' alone would wait for a process that is not there yet.
                    if self._store.check([self._name(other)]):
                        self._heard[other] = self._store.get(self._name(other))
            except Exception:
                return  # the store is gone, which the other thread will notice
            self._talks += 1
            if self._stop.wait(self._interval):
                return

    def _judge(self) -> None:
        """Count beats, not seconds: a suspended machine takes all of them with it."""
        # The store's own silence, None, comes first: nobody is heard then.
        order: list[int | None] = [None, *self._others]
        silent = dict.fromkeys(order, 0)
        before: dict[int | None, Any] = {}
        while not self._stop.wait(self._interval):
            now: dict[int | None, Any] = {None: self._talks, **self._heard}
            for who, value in now.items():
                same = value == before.get(who) and value != b'ended'
                silent[who] = silent[who] + 1 if same else 0
            before = now
            for who, count in silent.items():
                last = _ENDS.get(now.get(who) or b'')
                if count >= (GRACE_BEATS if last else SILENT_BEATS):
                    if not self._stop.is_set():
                        self._end(self._sentence(who, last))
                    return

    def _sentence(self, who: int | None, last: str | None) -> str:
        seconds = SILENT_BEATS * self._interval
        if who is None:
            what = f'the process that holds the store is gone ({seconds:.0f} s silent)'
        elif last:
            what = f'process {who} {last}'
        else:
            what = f'process {who} is gone or hangs ({seconds:.0f} s silent)'
        return (
            f'{what}, so process {self._rank} ends: look for what it printed last, '
            'mend that, and go on with --resume (SCTNET_SILENT_SECONDS sets how long a '
            'process may be silent, 0 for ever)'
        )


def end_process(sentence: str) -> NoReturn:
    """Print an error and end this process, whose main thread waits in a collective."""
    with suppress(Exception):  # what was logged last tells most
        sys.stdout.flush()
        logging.shutdown()
    print(f'error: {sentence}', file=sys.stderr, flush=True)
    os._exit(2)


@contextmanager
def watched(
    end: Callable[[str], Any] = end_process, interval: float = INTERVAL
) -> Iterator[None]:
    """End this process if another of its run is gone while the block runs.

    Does nothing in a run of one process, and in one without ``MASTER_ADDR``.
    ``SCTNET_SILENT_SECONDS`` in the environment is after how long without a word a
    process counts as gone; 0 watches nobody.
    """
    life = _begin(end, interval)
    if life is None:
        yield
        return
    last = 'failed'
    try:
        yield
        last = 'ended'
    except KeyboardInterrupt:
        last = 'interrupted'
        raise
    finally:
        life.leave(last)


def _begin(end: Callable[[str], Any], interval: float) -> Liveness | None:
    place, port = os.environ.get('MASTER_ADDR'), os.environ.get('MASTER_PORT')
    if get_world_size() == 1 or not place or not port:
        return None
    silent = os.environ.get('SCTNET_SILENT_SECONDS', '')
    if silent.isdecimal():
        if not int(silent):
            return None
        interval = int(silent) / SILENT_BEATS
    from torch.distributed import TCPStore

    try:
        # A connection of its own: the group's may be busy waiting.
        store = TCPStore(place, int(port), timeout=timedelta(seconds=60))
    except (RuntimeError, ValueError) as error:
        first = str(error).partition('\n')[0]
        message = f'processes do not watch each other ({first})'
        print_log(message, logger='current', level=logging.WARNING)
        return None
    restart = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')
    key = f'sctnet/alive/{restart}/{next(_runs)}'
    life = Liveness(store, get_rank(), get_world_size(), key, end, interval)
    life.start()
    return life
