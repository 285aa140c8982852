"""The pages about pre-training: their commands parse, their figures hold."""

import argparse
import json
import re
import runpy
import shlex
import sys

import pytest
from pretraining_support import PROJECT
from support import REPOSITORY

PAGES = (REPOSITORY / 'docs' / 'pretraining.md', PROJECT / 'README.md')
TEXT = '\n'.join(page.read_text(encoding='utf-8') for page in PAGES)
BLOCKS = ''.join(re.findall(r'```bash\n(.*?)```', TEXT, re.DOTALL))
LINES = sorted(set(BLOCKS.replace('\\\n', ' ').splitlines()))
COMMANDS = [line for line in LINES if '.py' in line]


@pytest.mark.parametrize('command', COMMANDS)
def test_commands_parse_and_name_configs_that_exist(command, monkeypatch):
    words = shlex.split(command)
    (place,) = [i for i, word in enumerate(words) if word.endswith('.py')]
    original = argparse.ArgumentParser.parse_args

    class ParsedError(Exception):
        pass

    def parse(self, *_):
        raise ParsedError(original(self, words[place + 1 :]))

    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse)
    monkeypatch.setattr(sys, 'argv', words[place:])
    with pytest.raises(ParsedError) as parsed:
        runpy.run_path(str(REPOSITORY / words[place]), run_name='__main__')
    if config := getattr(parsed.value.args[0], 'config', None):
        assert (PROJECT / 'configs' / f'{config}.py').is_file()


def test_keys_and_configs_in_the_page_exist(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / 'tests' / 'docs')
    from test_docs_keys import test_keys_and_configs_in_the_text_exist as check

    check('docs/pretraining.md', monkeypatch)


def test_figures_are_those_of_the_results():
    text = (PROJECT / 'README.md').read_text(encoding='utf-8')
    evidence = runpy.run_path(str(PROJECT / 'evidence.py'))
    table = evidence['table'](json.loads((PROJECT / 'results.json').read_text()))
    assert (PROJECT / 'results.md').read_text() == table
    rows = [line for line in table.splitlines() if line.startswith('|')]
    assert len(rows) == 4
    assert '\n'.join(rows) in text
    benchmark = runpy.run_path(str(PROJECT / 'benchmark_loading.py'))
    results = json.loads((PROJECT / 'loading.json').read_text())
    assert benchmark['table'](results['images_a_second']) in text
