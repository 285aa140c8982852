"""No process of a run waits for one that is gone; none is ended for being slow."""

import os
import signal
import socket
import time

import pytest
import torch
from torch import distributed, multiprocessing

from sctnet.engine import liveness
from sctnet.engine.liveness import SILENT_BEATS, Liveness, watched

BEAT = 0.15


class Store(dict):
    """What a TCPStore does, in one process."""

    broken = False

    def set(self, key, value):
        if self.broken:
            raise RuntimeError('gone')
        self[key] = value if isinstance(value, bytes) else value.encode()

    def check(self, keys):
        return all(key in self for key in keys)

    def get(self, key):
        return self[key]


def watch(act, beats=3 * SILENT_BEATS, interval=0.02):
    """What process 0 of two says while ``act(store, beat)`` plays the other one."""
    store, said = Store(), []
    life = Liveness(store, 0, 2, 'run', said.append, interval)
    life.start()
    for beat in range(beats):
        act(store, beat)
        time.sleep(interval)
    life.leave('ended')
    assert store.broken or store['run/0'] == b'ended'
    return said


def test_one_that_beats_is_left_alone():
    assert watch(lambda store, beat: store.set('run/1', str(beat))) == []


def test_one_that_has_not_come_yet_and_one_that_has_ended_are_left_alone():
    assert watch(lambda store, beat: None) == []
    assert watch(lambda store, beat: store.set('run/1', 'ended')) == []


def test_silence_and_failure_and_a_lost_store_end_the_process():
    (said,) = watch(lambda store, beat: store.set('run/1', '5'), beats=60)
    assert said.startswith('process 1 is gone or hangs (')
    assert '--resume' in said
    (said,) = watch(lambda store, beat: store.set('run/1', 'failed'), beats=60)
    assert said.startswith('process 1 ended with an error')

    def lose(store, beat):
        store.broken = beat > 5

    (said,) = watch(lose, beats=80)
    assert said.startswith('the process that holds the store is gone')


def wait_in_a_collective(rank, port, folder, how):
    """Process 0 waits for process 1, which comes late or hangs."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    os.environ.update(RANK=str(rank), WORLD_SIZE='2')
    torch.set_num_threads(1)
    error = os.open(folder / f'{rank}.txt', os.O_WRONLY | os.O_CREAT)
    os.dup2(error, 2)
    distributed.init_process_group('gloo')
    with watched(interval=BEAT):
        distributed.barrier()
        if rank == 1:
            time.sleep(3 * SILENT_BEATS * BEAT if how == 'late' else 2 * BEAT)
            if how == 'hangs':
                os.kill(os.getpid(), signal.SIGSTOP)
        distributed.barrier()
    distributed.destroy_process_group()


@pytest.mark.parametrize('how', ['late', 'hangs'])
def test_a_process_that_hangs_ends_the_other_and_a_late_one_does_not(how, tmp_path):
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        port = one.getsockname()[1]
    context = multiprocessing.get_context('spawn')
    crew = [
        context.Process(target=wait_in_a_collective, args=(r, port, tmp_path, how))
        for r in range(2)
    ]
    for process in crew:
        process.start()
    crew[0].join(60)
    code = crew[0].exitcode
    for process in crew:
        process.kill()
        process.join()
    said = (tmp_path / '0.txt').read_text()
    if how == 'late':
        assert (code, 'error: ' in said) == (0, False), said
    else:
        assert code == 2, said
        assert 'error: process 1 is gone or hangs (1 s silent)' in said


def test_a_store_that_cannot_be_reached_is_a_warning_alone(monkeypatch):
    said = []
    monkeypatch.setattr(liveness, 'print_log', lambda text, **_: said.append(text))
    monkeypatch.setattr(liveness, 'get_world_size', lambda: 2)
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.setenv('MASTER_PORT', 'none')
    with watched():
        pass
    assert len(said) == 1
    assert 'do not watch each other' in said[0]


@pytest.mark.parametrize(('processes', 'silent'), [(1, ''), (2, '0')])
def test_who_is_alone_or_told_so_watches_nobody(processes, silent, monkeypatch):
    def reach(*_, **__):
        raise AssertionError('nobody is to be reached')

    monkeypatch.setattr(liveness, 'get_world_size', lambda: processes)
    monkeypatch.setattr('torch.distributed.TCPStore', reach)
    monkeypatch.setenv('SCTNET_SILENT_SECONDS', silent)
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.setenv('MASTER_PORT', '1')
    with watched():
        pass
