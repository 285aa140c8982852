"""The check of a GPU: in small on a CPU too, and never silent about what it left."""

import json
import subprocess
import time
from types import SimpleNamespace

import pytest
import torch

import sctnet
from sctnet.benchmark import machine
from sctnet.benchmark.gpu import check, in_turns
from sctnet.benchmark.gpu.check import SECTIONS, Section, choose, run_section
from sctnet.benchmark.gpu.place import Place, Task, convolutions
from sctnet.benchmark.gpu.record import Record
from sctnet.benchmark.gpu.steps import largest
from sctnet.cli.benchmark import benchmark
from sctnet.errors import ArgumentError


@pytest.fixture
def toys(monkeypatch):
    """Replace the sections by those that a test sets, of the first half all."""

    def replace(**sections):
        tables = {name: Section(1, tasks) for name, tasks in sections.items()}
        monkeypatch.setattr(check, 'SECTIONS', tables)

    return replace


def facts_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def run(out, **options):
    return benchmark('gpu', device='cpu', out=out, **options)


def gives(**facts):
    return lambda place: iter([Task('a', 1, lambda: facts)])


@pytest.mark.slow
@pytest.mark.parametrize('section', SECTIONS)
def test_a_section_runs_in_small_on_a_cpu(section, tmp_path, capsys):
    assert run(tmp_path, only=[section]) == 0, capsys.readouterr()
    machine, *facts, end = facts_of(tmp_path / 'gpu.jsonl')
    assert machine['section'] == 'machine'
    assert {fact['section'] for fact in facts} == {section}
    assert all(len(fact) > 3 for fact in facts)  # section, commit, case
    assert end['seconds'] > 0
    text = (tmp_path / 'gpu.md').read_text()
    assert all(f'| {fact["case"]} |' in text for fact in facts)
    assert (tmp_path / 'gpu.png').exists() == (section == 'networks')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_all_sections_run_in_small_on_a_gpu(tmp_path):
    assert benchmark('gpu', small=True, out=tmp_path) == 0


def test_what_is_wrong_or_raises_is_told_by_the_status(toys, tmp_path, capsys):
    def raises(place):
        yield Task('a', 1, lambda: {'ok': True})
        yield Task('b', 1, lambda: 1 / 0)
        yield Task('c', 1, lambda: {'ok': True})

    def never_starts(place):
        raise RuntimeError('no such kernel')
        yield

    toys(one=raises, two=never_starts, three=gives(ok=False), four=gives(ok=True))
    assert run(tmp_path) == 1
    facts = facts_of(tmp_path / 'gpu.jsonl')
    assert [f['ok'] for f in facts if f['section'] == 'one' and 'ok' in f] == [
        *(True, False, True)
    ]
    said = capsys.readouterr()
    assert 'no such kernel' in said.out
    assert said.err.splitlines() == ['wrong: one: b', 'wrong: two', 'wrong: three: a']
    assert 'b, ' in (tmp_path / 'gpu.md').read_text()
    assert 'ZeroDivisionError: division by zero' in (tmp_path / 'gpu.md').read_text()
    assert run(tmp_path, only=['four']) == 0


def test_what_does_not_fit_into_the_time_is_named_and_the_rest_is_run(toys, tmp_path):
    def three(place):
        yield Task('short', 1, lambda: {'ok': True})
        yield Task('long', 1000, lambda: {'ok': True})
        yield Task('short too', 1, lambda: {'ok': True})

    toys(one=three)
    record = Record(tmp_path / 'gpu.jsonl', lambda line: None)
    run_section('one', Place('cpu', small=False), time.monotonic() + 100, record)
    assert record.skipped == ['one: long']
    ran = [f['case'] for f in facts_of(record.file) if 'ok' in f]
    assert ran == ['short', 'short too']
    small = Record(tmp_path / 'small.jsonl', lambda line: None)
    run_section('one', Place('cpu', small=True), time.monotonic() + 100, small)
    assert small.skipped == []


def test_a_run_without_time_has_status_1(toys, tmp_path, capsys):
    toys(one=gives(ok=True))
    assert run(tmp_path, seconds=0) == 1
    assert capsys.readouterr().err == 'not run for want of time: one\n'


def test_facts_are_appended_line_by_line(toys, tmp_path):
    def looks(place):
        yield Task('a', 1, lambda: {'n': 1})
        assert facts_of(tmp_path / 'gpu.jsonl')[-1]['n'] == 1
        yield Task('b', 1, lambda: {'n': 2})

    toys(one=looks)
    assert run(tmp_path) == 0
    assert run(tmp_path) == 0
    facts = facts_of(tmp_path / 'gpu.jsonl')
    assert [f['n'] for f in facts if 'n' in f] == [1, 2, 1, 2]
    assert len({f['commit'] for f in facts}) == 1


def test_sections_are_chosen_by_name_and_half():
    both = choose()
    assert [*both] == [1, 2]
    assert [*both[1], *both[2]] == [*SECTIONS]
    # What was never reached on a GPU comes first.
    assert both[1][:4] == ['resume', 'loader', 'compiled', 'largest_batch']
    assert choose(halves=(2,)) == {2: both[2]}
    assert choose(only=['steps', 'amp'], skip=['amp']) == {2: ['steps']}
    with pytest.raises(ArgumentError, match="no section 'step': choose from resume,"):
        choose(only=['step'])
    with pytest.raises(ArgumentError, match='no section is left to run'):
        choose(only=['steps'], halves=(1,))


@pytest.mark.parametrize(('most', 'expected'), [(1, 0), (2, 2), (13, 12), (99, 96)])
def test_the_largest_batch_is_a_power_of_two_or_that_and_a_half(most, expected):
    assert largest(lambda batch: batch <= most, 1000) == expected
    assert largest(lambda batch: batch <= most, 16) == min(expected, 16)


def test_precision_of_convolutions_is_set_for_the_time_of_a_case():
    before = torch.backends.cudnn.allow_tf32
    with convolutions(Place('cpu', small=True), tf32=False):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == before


def test_two_copies_take_turns_section_by_section(toys, tmp_path, monkeypatch, capsys):
    other = tmp_path / 'other'
    place = other / 'sctnet' / 'benchmark' / 'gpu' / 'check.py'
    place.parent.mkdir(parents=True)
    place.touch()
    calls = []

    def run_process(words, cwd, env, check):
        only = words[words.index('--only') + 1]
        calls.append((cwd, env['PYTHONPATH'], only))
        assert words[words.index('--out') + 1] == str(tmp_path / 'out')
        assert words[-1] == '--small'
        Record(tmp_path / 'out' / 'gpu.jsonl').say(only, case='a', n=1)
        return SimpleNamespace(returncode=-9 if only == 'two' else 0)

    monkeypatch.setattr(in_turns, 'subprocess', SimpleNamespace(run=run_process))
    monkeypatch.chdir(tmp_path)
    toys(one=gives(), two=gives())
    out = (tmp_path / 'out').relative_to(tmp_path)
    assert run(out, against=other) == 1
    copies = (other, in_turns.OWN)
    names = ('one', 'one', 'two', 'two')
    assert calls == [
        (copies[i % 2], str(copies[i % 2]), n) for i, n in enumerate(names)
    ]
    assert 'the process ended with status -9' in capsys.readouterr().out
    with pytest.raises(ArgumentError, match="holds no sctnet with 'sctnet benchmark"):
        run(out, against=tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason='has a GPU')
def test_without_a_gpu_the_check_says_so(tmp_path):
    with pytest.raises(ArgumentError, match=r'torch sees no GPU; .* --device cpu'):
        benchmark('gpu', out=tmp_path / 'none')
    assert not (tmp_path / 'none').exists()


def test_code_is_named_by_its_commit_or_else_by_a_sum_of_it(tmp_path, monkeypatch):
    package = tmp_path / 'sctnet'
    (package / 'benchmark').mkdir(parents=True)
    (package / 'a.py').write_text('a = 1')
    monkeypatch.setattr(machine, '__file__', str(package / 'benchmark' / 'machine.py'))
    first = machine.describe_code()
    assert first.startswith(f'{sctnet.__version__}+')
    (package / 'a.py').write_text('a = 2')
    assert machine.describe_code() != first
    git = ['git', '-C', str(tmp_path), '-c', 'user.name=a', '-c', 'user.email=a@b.c']
    for words in (['init', '-q'], ['add', '.'], ['commit', '-qm', 'one']):
        subprocess.run([*git, *words], check=True)
    done = subprocess.run([*git, 'rev-parse', 'HEAD'], capture_output=True, check=True)
    commit = machine.describe_code()
    assert done.stdout.decode().startswith(commit)
    (package / 'a.py').write_text('a = 3')
    assert machine.describe_code() == f'{commit}-dirty'
