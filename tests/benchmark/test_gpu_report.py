"""What the facts of a check become: tables, a plot, and refusals."""

import json

import pytest
from support import REPOSITORY

from sctnet.benchmark.gpu.report import read_facts, to_markdown, write_report
from sctnet.cli.benchmark import benchmark
from sctnet.errors import DataError

FIRST = REPOSITORY / 'docs' / 'benchmarks' / 'gpu' / '2026-11-27-h100.jsonl'


def fact(section, commit='1234567', **values):
    return {'section': section, 'commit': commit, **values}


def network(model, way, ms, commit='1234567', dataset='Cityscapes'):
    return fact(
        'networks',
        commit,
        case=f'{model} {way}',
        model=model,
        way=way,
        size=[64, 96],
        single_ms=ms,
        published_miou_percent=70.5,
        dataset=dataset,
        ok=True,
    )


def test_a_table_has_a_column_for_each_value_and_a_row_for_each_case():
    text = to_markdown(
        [
            fact('steps', case='a', in_a_row_ms=1.25, stages_ms={'teacher': 0.5}),
            fact('steps', case='b', in_a_row_ms=2.0, tf32_convolutions=False, ok=False),
            fact('steps', case='c', skipped='3 s left, it may take 20'),
            fact('steps', ok=False, error='Traceback\n\nRuntimeError: no\n'),
            fact('steps', seconds=3.0),
        ],
        [],
    )
    lines = text.splitlines()
    assert '### A training step' in lines
    head = '| case | in a row ms | teacher ms | tf32 convolutions | ok |'
    assert lines[lines.index(head) + 2] == '| a | 1.25 | 0.5 |  |  |'
    assert lines[lines.index(head) + 3] == '| b | 2 |  | no | **no** |'
    assert '- c, 1234567: 3 s left, it may take 20' in lines
    assert '- all of it, 1234567: RuntimeError: no' in lines


def test_two_commits_stand_side_by_side():
    facts = [fact('amp', c, case=x, ms=1) for c in ('old', 'new') for x in 'ab']
    rows = [line for line in to_markdown(facts, []).splitlines() if line[:1] == '|']
    assert rows[2:] == [
        *('| a | old | 1 |', '| a | new | 1 |', '| b | old | 1 |', '| b | new | 1 |')
    ]


def test_networks_are_drawn_those_with_graphs_if_there_are(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        'sctnet.benchmark.gpu.report.draw_latency',
        lambda report, path: drawn.append([(r.backend, r.median) for r in report.done]),
    )
    plain = [network('stdc1', 'fp32 torch', 2.0)]
    assert len(write_report(plain, tmp_path / 'x')) == 2
    write_report([*plain, network('stdc1', 'tf32 torch+graphs', 1.0)], tmp_path / 'x')
    write_report([*plain, network('stdc1', 'fp32 torch', 3.0, 'new')], tmp_path / 'x')
    assert drawn == [
        [('fp32 torch', 0.002)],
        [('tf32 torch+graphs', 0.001)],
        [('fp32 torch, 1234567', 0.002), ('fp32 torch, new', 0.003)],
    ]
    assert len(write_report([fact('amp', case='a', ms=1)], tmp_path / 'y.z')) == 1
    assert (tmp_path / 'y.z.md').exists()


def test_the_first_figures_are_what_their_report_shows(tmp_path):
    assert benchmark('gpu', report=FIRST, out=tmp_path) == 0
    name = FIRST.with_suffix('.md').name
    assert (tmp_path / name).read_text() == FIRST.with_suffix('.md').read_text()
    assert (tmp_path / name).with_suffix('.png').read_bytes()[:4] == b'\x89PNG'
    assert {f['commit'] for f in read_facts(FIRST)} == {'204838f'}


@pytest.mark.parametrize('line', ['{"section": "st', '[1]', '{"section": "steps"}'])
def test_a_line_that_is_no_fact_is_named(line, tmp_path):
    file = tmp_path / 'gpu.jsonl'
    file.write_text(json.dumps(fact('amp', case='a')) + f'\n{line}\n')
    with pytest.raises(DataError, match=f"line 2 of '{file}' is no fact .* delete"):
        benchmark('gpu', report=file, out=tmp_path)
    with pytest.raises(DataError, match='there is no file'):
        benchmark('gpu', report=tmp_path / 'no.jsonl', out=tmp_path)
