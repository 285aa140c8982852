"""Every command in README.md and docs/ exists, with its options, configs and keys."""

import argparse
import re

import pytest
from doc_pages import PAGES, blocks, commands, inline_code
from support import REPOSITORY
from test_docs_keys import check_options

from sctnet.catalog import load_config
from sctnet.cli import COMMANDS, build_parser
from sctnet.errors import SCTNetError

OTHERS = {'pip', 'git', 'cd', 'mkdocs', 'tensorboard'}
# They quote messages, the original's options, and commands of measurements.
NOT_OURS = ('docs/troubleshooting.md', 'docs/migration.md', 'docs/benchmarks/')


def call_of(words):
    """Return which command of ours ``words`` come to and its arguments, or None."""
    others = (['mim', 'search'], ['sctnet', '--help'], ['python', '-c'])
    if words[:2] in others or words[0] in OTHERS:
        return None
    if words[0] == 'mim':
        kind, package, *words = words[1:]
        assert (kind in ('train', 'test'), package) == (True, 'sctnet')
        if kind == 'test':
            at = words.index('--checkpoint')
            words = [words[0], words[at + 1], *words[1:at], *words[at + 2 :]]
        return kind, words
    if words[0] == 'sctnet':
        assert words[1] in COMMANDS
        return words[1], words[2:]
    if words[0] == 'make':
        for target in words[1:]:
            assert f'\n{target}:' in (REPOSITORY / 'Makefile').read_text(), target
        return None
    (at,) = [i for i, word in enumerate(words) if word.endswith(('.py', '.sh'))][:1]
    assert (REPOSITORY / words[at]).is_file(), words[at]
    name = re.fullmatch(r'tools/(train|test)\.py', words[at])
    return (name[1], words[at + 1 :]) if name else None


def check(words, own_configs=()):
    """Fail unless a command's own parser takes its words, and its config its keys."""
    if words[:3] == ['python', '-m', 'pytest'] or not (call := call_of(words)):
        return
    arguments = build_parser(call[0]).parse_args(call[1])
    config = getattr(arguments, 'config', None)
    if config and not config.isupper() and config not in own_configs:
        options = getattr(arguments, 'cfg_options', None) or {}
        check_options(load_config(config), options)


@pytest.mark.parametrize('page', [page for page in PAGES if commands(page)])
def test_commands_name_what_exists(page):
    own = {block.title for p in (page, 'README.md') for block in blocks(p, 'python')}
    own |= {'rooms/teacher.py', 'rooms/student.py'}  # of sctnet new
    for place, words in commands(page):
        try:
            check(words, own)
        except (Exception, SystemExit) as error:  # of a parser, with usage above
            raise AssertionError(f'{place}: {" ".join(words)}: {error}') from error


@pytest.mark.parametrize(
    'command',
    [
        'sctnet train sctnet-s-ade --techer FILE',
        'sctnet train sctnet-s-adee',
        'sctnet educate sctnet-s-ade',
        'mim train sctnet sctnet-s-ade --cfg-options model.siam.heat=3',
        'python tools/educate.py sctnet-s-ade',
        'tools/dist_educate.sh CONFIG 2',
        'make tset',
    ],
)
def test_a_wrong_command_is_found(command):
    with pytest.raises((AssertionError, SCTNetError, SystemExit, ValueError)):
        check(command.split())


def options_of(parser):
    """Return the options of a parser and of those below it."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(*map(options_of, action.choices.values()))
    return found


@pytest.mark.parametrize('page', [p for p in PAGES if not p.startswith(NOT_OURS)])
def test_commands_and_options_in_the_text_exist(page):
    known = set().union(*(options_of(build_parser(command)) for command in COMMANDS))
    for script in (REPOSITORY / 'projects').glob('**/*.py'):
        known |= set(re.findall(r"'(--[\w-]+)'", script.read_text()))
    for code in inline_code(page):
        command = re.match(r'sctnet ([a-z]+)\b', code)
        assert not command or command[1] in COMMANDS, code
        if re.match('--|sctnet |mim ', code):
            assert set(re.findall(r'(?<![\w-])--[a-z][\w-]*', code)) <= known, code
