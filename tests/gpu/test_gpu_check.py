"""The check of a GPU runs, in small, on a CPU too."""

import json

import check
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize('section', check.SECTIONS)
def test_a_section_runs_in_small_on_a_cpu(section, tmp_path):
    file = tmp_path / 'facts.jsonl'
    status = check.main(['--device', 'cpu', '--only', section, '--out', str(file)])
    facts = [json.loads(line) for line in file.read_text().splitlines()]
    assert status == 0, facts
    assert {fact['section'] for fact in facts} == {'machine', section}
    assert len(facts) > 2


def test_what_is_wrong_or_raises_is_told_by_the_status(monkeypatch, capsys):
    def raises(place):
        yield {'case': 'a', 'ok': True}
        raise RuntimeError('no such kernel')

    monkeypatch.setitem(check.SECTIONS, 'labels', raises)
    monkeypatch.setitem(check.SECTIONS, 'images', lambda place: [{'ok': False}])
    monkeypatch.setitem(check.SECTIONS, 'loader', lambda place: [{'ok': True}])
    for names, status in ((['labels'], 1), (['images', 'loader'], 1), (['loader'], 0)):
        assert check.main(['--device', 'cpu', '--only', *names]) == status
    assert 'no such kernel' in capsys.readouterr().out
