"""The pages about pre-training: their commands parse, their links and figures hold."""

import argparse
import json
import re
import runpy
import shlex
import sys

import pytest
from pretraining_support import PROJECT
from support import REPOSITORY

from sctnet.catalog import find_config

PAGES = (REPOSITORY / 'docs' / 'pretraining.md', PROJECT / 'README.md')


def commands_of(page):
    blocks = re.findall(
        r'```bash\n(.*?)```', page.read_text(encoding='utf-8'), re.DOTALL
    )
    return ''.join(blocks).replace('\\\n', ' ').splitlines()


COMMANDS = sorted({line for page in PAGES for line in commands_of(page)})


def test_every_script_has_its_command():
    text = '\n'.join(COMMANDS)
    for script in PROJECT.glob('*.py'):
        assert f'projects/imagenet_pretraining/{script.name}' in text
    assert 'sctnet weights' in text


@pytest.mark.parametrize('command', [c for c in COMMANDS if '.py' in c])
def test_commands_parse_and_name_configs_that_exist(command, monkeypatch):
    words = shlex.split(command)
    (place,) = [i for i, word in enumerate(words) if word.endswith('.py')]
    parsed = []

    class ParsedError(Exception):
        pass

    def parse(self, *_):
        parsed.append(original(self, words[place + 1 :]))
        raise ParsedError

    original = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, 'parse_args', parse)
    monkeypatch.setattr(sys, 'argv', words[place:])
    with pytest.raises(ParsedError):
        runpy.run_path(str(REPOSITORY / words[place]), run_name='__main__')
    config = getattr(parsed[0], 'config', None)
    if config and not (PROJECT / 'configs' / f'{config}.py').is_file():
        assert find_config(config)


@pytest.mark.parametrize('page', PAGES, ids=['docs', 'project'])
def test_links_lead_somewhere(page):
    text = page.read_text(encoding='utf-8')
    links = re.findall(r'\]\(((?!https?:)[^)]+)\)', text)
    assert links
    for link in links:
        file, _, section = link.partition('#')
        target = page.parent / file if file else page
        assert target.exists(), link
        if section:
            headings = re.findall(r'(?m)^#+ (.+)$', target.read_text(encoding='utf-8'))
            slugs = [re.sub(r'[^\w -]', '', h.lower()) for h in headings]
            assert section in [slug.replace(' ', '-') for slug in slugs], link


def test_figures_of_the_experiment_are_those_of_its_results():
    evidence = runpy.run_path(str(PROJECT / 'evidence.py'))
    results = json.loads((PROJECT / 'results.json').read_text())
    table = evidence['table'](results)
    assert (PROJECT / 'results.md').read_text() == table
    rows = [line for line in table.splitlines() if line.startswith('|')]
    assert len(rows) == 4
    assert '\n'.join(rows) in (PROJECT / 'README.md').read_text(encoding='utf-8')


def test_figures_of_loading_are_those_of_its_results():
    benchmark = runpy.run_path(str(PROJECT / 'benchmark_loading.py'))
    results = json.loads((PROJECT / 'loading.json').read_text())
    table = benchmark['table'](results['images_a_second'])
    assert table in (PROJECT / 'README.md').read_text(encoding='utf-8')
