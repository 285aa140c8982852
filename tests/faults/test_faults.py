"""Hundreds of damaged inputs, and that the harness sees what breaks a rule."""

import os
import signal
import sys
import time
from pathlib import Path
from random import Random

import pool
import pytest
import registry
import run
from contract import Case, Place, Result, judge
from registry import kinds
from stock import Stock

from sctnet.errors import ArgumentError

pytestmark = pytest.mark.slow

CASES = int(os.environ.get('SCTNET_FAULT_CASES', 500))
SEED = int(os.environ.get('SCTNET_FAULT_SEED', 0))


@pytest.mark.slow
def test_damaged_inputs_are_refused_in_a_sentence_or_taken():
    results = run.run(run.cases_of(CASES, SEED))
    print(run.table(results))
    assert len(results) >= CASES
    assert {result.kind for result in results} == set(kinds())
    broken = [run.describe(result) for result in results if result.violations]
    assert not broken, '\n'.join(broken)
    for verdict in ('refused', 'accepted'):  # else the harness tries nothing
        assert sum(result.verdict == verdict for result in results) > CASES / 20


def test_every_kind_gets_its_share_and_seeds_do_not_meet():
    cases = run.cases_of(10_000, 0)
    assert len(cases) >= 10_000
    assert {name for name, _ in cases} == set(kinds())
    assert not set(cases) & set(run.cases_of(10_000, 1))


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Place(tmp_path / 'in', tmp_path / 'out')
    place.inputs.mkdir()
    place.outputs.mkdir()
    monkeypatch.chdir(place.outputs)
    return place


def fail(error):
    raise error


def say(text, status=2):
    print(text, file=sys.stderr)
    sys.exit(status)


BREAKS = {
    'raised KeyError': (lambda: fail(KeyError('x')), False),
    'message without a sentence': (lambda: fail(ArgumentError('bad')), False),
    'message of several lines': (lambda: fail(ArgumentError('a b c d\ne')), False),
    'changed input a.txt': (lambda: Path('../in/a.txt').write_text('y'), False),
    'left .a-x.png behind': (lambda: Path('.a-x.png').write_text('y'), False),
    'half-written b.png': (lambda: Path('b.png').write_bytes(b'\x89PNG'), False),
    'half-written b.pth': (lambda: Path('b.pth').write_bytes(b'PK'), False),
    'traceback of a tool: KeyError': (lambda: fail(KeyError('x')), True),
    '0 error lines': (lambda: say('no'), True),
    '2 error lines': (lambda: say('error: a b c d\nerror: a b c d'), True),
    'exit status 3': (lambda: say('x', 3), True),
    'a traceback was printed': (lambda: say('Traceback (most recent call', 0), True),
    'MiB of memory': (lambda: bytearray(5 * 2**28).count(1), False),
}


@pytest.mark.parametrize('broken', BREAKS)
def test_the_contract_sees(broken, place):
    place.write('a.txt', 'x')
    call, tool = BREAKS[broken]
    result = judge('kind', 0, Case(call, 'note', tool=tool), place)
    assert result.verdict == 'violation'
    assert any(broken in violation for violation in result.violations)


def test_the_contract_takes_a_refusal_and_a_result(place):
    refusal = Case(lambda: fail(ArgumentError('size is 3: expected 4 or more')), '')
    assert judge('kind', 0, refusal, place).verdict == 'refused'
    usage = Case(lambda: say('usage: x\nx.py: error: no'), '', tool=True)
    assert judge('kind', 0, usage, place).verdict == 'refused'
    assert judge('kind', 0, Case(lambda: 3, ''), place).verdict == 'accepted'
    refusal.sound = True
    assert judge('kind', 0, refusal, place).violations == ['refused what is sound']


def misbehave(pipe, folder):
    """A worker that hangs in case 0, dies in case 1 and answers any other."""
    pipe.send('ready')
    while True:
        kind, seed = pipe.recv()
        if seed == 0:
            time.sleep(600)
        if seed == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        pipe.send(Result(kind, seed, 'accepted'))


def test_the_watchdog_ends_a_hang_and_survives_a_crash(tmp_path):
    worker = pool.Worker(tmp_path, target=misbehave)
    try:
        hung, crashed, fine = (worker.run('kind', seed, 1.5) for seed in range(3))
    finally:
        worker.stop()
    assert hung.violations == ['hang: no end within 2 s']
    assert crashed.violations == ['crash: the process ended with SIGSEGV']
    assert fine.verdict == 'accepted'


def test_a_case_is_the_same_whenever_it_is_made(tmp_path):
    stock = Stock(tmp_path / 'stock')
    make = registry.kinds()['image read'].make
    notes, files = [], []
    for name in ('a', 'b'):
        place = Place(tmp_path / name, tmp_path / name)
        cases = [make(Random(f'x:{seed}'), place, stock) for seed in range(20)]
        notes.append([case.note for case in cases])
        files.append(sorted(path.read_bytes() for path in place.inputs.rglob('*')))
    assert notes[0] == notes[1]
    assert files[0] == files[1]
    again = Stock(tmp_path / 'again')
    for name in ('images', 'labels', 'weights', 'video', 'exported'):
        assert getattr(stock, name) == getattr(again, name), name
