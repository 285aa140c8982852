import itertools
import shutil

import pytest
import torch

from sctnet.benchmark import memory, runs
from sctnet.benchmark.case import Case, Contender, parse_backend
from sctnet.benchmark.command import check_settings
from sctnet.benchmark.models import find_entries
from sctnet.benchmark.runs import Settings, cases_of, run_cases
from sctnet.errors import ArgumentError

SETTINGS = Settings(repeats=2, warmup=0, pause=0.0, memory=False)


@pytest.fixture
def toys(monkeypatch):
    """Contenders that only note what was called; the model 'broken' cannot be run."""
    calls = []

    def build(case, device):
        def call():
            if case.model == 'broken':
                raise RuntimeError('no such op\nat line 7')
            calls.append(case.model)

        labels = (
            torch.arange(4) if case.backend == 'mmseg' else torch.tensor([0, 1, 2, 9])
        )
        return Contender(call, torch.nn.Conv2d(3, 1, 1), (8, 8), labels=lambda: labels)

    monkeypatch.setitem(runs.BUILDERS, 'image', build)
    return calls


def case(model, backend='torch'):
    return Case(model, backend, 1, (8, 8))


def test_cases_combine_and_keep_models_together():
    models = find_entries(['sctnet-s-seg50', 'stdc1'])
    cases = cases_of('network', models, ['torch', 'openvino'], [1, 4], [], 'cpu')
    assert len(cases) == len(set(cases)) == 8
    assert [c.model for c in cases] == ['sctnet-s-seg50'] * 4 + ['stdc1'] * 4
    assert {c.size for c in cases} == {(512, 1024), (1024, 2048)}
    sizes = [(64, 64), (64, 128)]
    cases = cases_of('image', models[:1], ['mmseg', 'onnxruntime'], [], sizes, 'cpu')
    assert [(c.backend, c.size) for c in cases] == [
        *(('mmseg', (64, 64)), ('onnxruntime', (64, 64))),
        *(('mmseg', (64, 128)), ('onnxruntime', (64, 128))),
    ]
    ade = cases_of('image', find_entries(['sctnet-s-ade']), ['mmseg'], [], [], 'cpu')
    assert [case.size for case in ade] == [(512, 683), (1000, 1500)]


def test_what_fails_is_a_row_with_its_reason_and_the_others_are_measured(toys):
    told = []
    cases = [case('a', 'mmseg'), case('broken'), case('a')]
    rows = run_cases('image', cases, SETTINGS, told.append)
    assert [row.case for row in rows] == cases
    assert rows[1].reason == 'RuntimeError: no such op'
    assert rows[1].seconds == []
    for row in (rows[0], rows[2]):
        assert row.reason is None
        assert len(row.seconds) == 2
        assert (row.parameters, row.flops) == (4, 2 * 3 * 64)
    assert (rows[0].agreement, rows[2].agreement) == (1.0, 0.75)
    assert len(told) <= runs.steps(cases, SETTINGS)


def test_contenders_that_do_not_fit_together_are_measured_in_groups(toys, monkeypatch):
    full = itertools.cycle([False, True])
    monkeypatch.setattr(runs, 'is_half_full', lambda device: next(full))
    run_cases('image', [case(name) for name in 'abcd'], SETTINGS)
    turns = ['a', 'b', *'aabb' * 2, 'c', 'd', *'ccdd' * 2]
    assert toys == turns


@pytest.mark.parametrize(
    ('device', 'expected'),
    [('cpu', ['stages'] * 4), ('cuda', ['whole', 'whole', 'stages'] * 2)],
)
def test_on_a_gpu_the_waits_around_stages_are_not_in_the_time(
    device, expected, monkeypatch
):
    made = []
    monkeypatch.setattr(runs, 'waiter', lambda device: lambda: None)

    def watch():
        made.append('stages')

    watch.seconds = {'all': 1.0}
    toy = Contender(lambda: made.append('whole'), None, (8, 8), watch)
    row = runs.Row(*case('a'))
    settings = SETTINGS._replace(device=device)
    runs._time_in_turns({'a': (row, toy)}, settings, lambda name: None)
    assert made == expected
    assert row.stages == [{'all': 1.0}] * 2


def test_peak_memory_is_what_a_call_needs(toys):
    torch.ones(100_000_000).sum()  # what was needed before does not count
    held = []
    toy = Contender(lambda: held.append(torch.ones(25_000_000).sum()), None, (8, 8))
    idle = memory.measure(toy._replace(call=lambda: None), 'cpu')
    assert 95e6 < memory.measure(toy, 'cpu') - idle < 250e6


def test_memory_of_a_process_that_fails_is_not_there(monkeypatch):
    monkeypatch.setattr(memory.sys, 'executable', shutil.which('false'))
    assert memory.peak_memory('network', case('stdc1'), 'cpu') is None


def test_training_takes_the_recipes_crop_and_on_a_gpu_its_batch():
    models = find_entries(['sctnet-s-ade', 'sctnet-b-seg100'])
    for device, batch in (('cpu', 2), ('cuda:0', 8)):
        cases = cases_of('train', models, ['shortcuts'], [], [], device)
        found = [(c.batch, c.size) for c in cases]
        assert found == [(batch, (512, 512)), (batch, (1024, 1024))]
    with pytest.raises(ArgumentError, match="'stdc1' has no teacher to train with"):
        cases_of('train', find_entries(['stdc1']), ['shortcuts'], [], [], 'cpu')


def test_numbers_out_of_range_and_missing_devices_are_errors():
    with pytest.raises(ArgumentError, match='--repeats is 0: expected at least 1'):
        check_settings(SETTINGS._replace(repeats=0), [1])
    with pytest.raises(ArgumentError, match='--batch is 0'):
        check_settings(SETTINGS, [4, 0])
    if not torch.cuda.is_available():
        with pytest.raises(ArgumentError, match='torch sees no GPU'):
            check_settings(SETTINGS._replace(device='cuda'), [1])


@pytest.mark.parametrize(
    ('kind', 'text', 'expected'),
    [
        ('network', 'onnxruntimes', "'onnxruntimes' is not known"),
        ('image', 'torch+quick', "option 'quick': expected some of fp16"),
        ('image', 'openvino+fp16', "'openvino' has no option 'dtype'"),
        ('train', 'fast', "no way 'fast' to train: use readable"),
        ('train', 'shortcuts+fp8', "option 'fp8': expected some of amp"),
        ('train', 'loader+amp', "option 'amp': expected some of store, crop"),
    ],
)
def test_backends_and_ways_are_checked_before_anything_is_built(kind, text, expected):
    runs.check_backends('image', ['mmseg', 'torch+compile'])
    with pytest.raises(ArgumentError, match=expected):
        runs.check_backends(kind, [text])
    words = 'torch+bf16+channels_last+compile+graphs'
    options = {'channels_last': True, 'compile': True, 'cuda_graphs': True}
    assert parse_backend(words) == ('torch', {'dtype': 'bf16', **options})
