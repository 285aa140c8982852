"""``sctnet benchmark``: what it writes, and what it refuses."""

import json

import pytest
from tool_process import call, one_line_error

pytestmark = pytest.mark.slow

QUICK = ('--repeats', '1', '--warmup', '0', '--pause', '0', '--threads', '1')


def test_a_network_is_measured_into_three_files(tmp_path):
    done = call(
        'benchmark',
        *('network', '--models', 'fast-scnn', '--backends', 'torch'),
        *('--size', '64', '96', '--out', 'results', *QUICK),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / 'results'
    names = ['network.json', 'network.md', 'network_latency.png']
    assert sorted(file.name for file in folder.iterdir()) == names
    found = json.loads((folder / 'network.json').read_text())
    (row,) = found['rows']
    assert len(row['seconds']) == 1
    assert row['memory'] > 1e8
    assert found['machine']['threads'] == 1
    assert '| fast-scnn | torch | 64x96 |' in (folder / 'network.md').read_text()
    assert str(tmp_path) not in (folder / 'network.md').read_text()


def test_a_training_step_is_measured_both_ways_and_its_loader(tmp_path):
    done = call(
        'benchmark',
        *('train', '--models', 'sctnet-s-seg50', '--size', '64', '96', *QUICK),
        '--no-memory',
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / 'benchmarks'
    names = ['train.json', 'train.md', 'train_stages.png']
    assert sorted(file.name for file in folder.iterdir()) == names
    rows = json.loads((folder / 'train.json').read_text())['rows']
    assert [row['backend'] for row in rows] == ['readable', 'shortcuts', 'loader']
    assert [len(row['stages']) for row in rows] == [1, 1, 0]
    assert all(len(row['seconds']) == 1 for row in rows)


def test_what_could_not_be_run_is_said(tmp_path):
    done = call(
        'benchmark',
        *('train', '--models', 'sctnet-s-seg50', '--size', '0', '96', *QUICK),
        *('--ways', 'shortcuts', '--no-memory'),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert 'not run: sctnet-s-seg50 shortcuts 2x0x96: RuntimeError' in done.stderr


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (
            ('image', '--models', 'pidnets'),
            "no model 'pidnets' to measure: choose from",
        ),
        (('train', '--ways', 'shortcuts+fast'), "no option 'fast'"),
    ],
)
def test_what_is_misspelt_is_one_line(words, expected, tmp_path):
    assert expected in one_line_error(call('benchmark', *words, cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []
