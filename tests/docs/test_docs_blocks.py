"""Every command and every block of Python in README.md and docs/ does what it says."""

import ast
import importlib

import pytest
from doc_commands import check
from doc_materials import scenes, street, tiny_networks
from doc_pages import Command, blocks, commands, pages
from doc_registry import BLOCKS, Elsewhere, Only, Run, Same, entry
from doc_run import run_commands
from support import REPOSITORY

from sctnet.catalog import CONFIG_ROOT, load_config
from sctnet.errors import ConfigError

ALL = blocks()
TESTS = REPOSITORY / 'tests'


def name_of(block):
    return block.place.removesuffix('.md').replace('.md:', ':')


def write_files(page, folder):
    """Write the blocks of a page that are files."""
    for block in blocks(page):
        if block.title:
            (folder / block.title).write_text(block.code)


@pytest.mark.parametrize('block', ALL, ids=name_of)
def test_each_block_stands_in_one_entry(block):
    how = entry(block)
    if isinstance(how, Same):
        twins = [other for other in blocks(how.page) if other.code == block.code]
        assert twins, f'{block.place}: {how.page} has no such block'
        assert not isinstance(entry(twins[0]), Same), block.place
    elif isinstance(how, Elsewhere):
        file, _, test = how.test.partition('::')
        assert f'def {test}' in (TESTS / file).read_text(), how.test
    elif isinstance(how, Only):
        assert how.reason


@pytest.mark.parametrize('page', BLOCKS)
def test_each_entry_has_its_block(page):
    assert page in pages()
    for text in BLOCKS[page]:
        fitting = [block.place for block in blocks(page) if text in block.code]
        assert len(fitting) == 1, f'{page}: {text!r} fits {fitting}'


def test_only_known_languages_mark_what_can_be_run():
    assert {block.language for block in ALL} == {'bash', 'python'}


@pytest.mark.parametrize(
    'block', [b for b in ALL if b.language == 'python'], ids=name_of
)
def test_python_compiles_and_its_imports_resolve(block):
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.Import):
            for name in node.names:
                importlib.import_module(name.name)
        elif isinstance(node, ast.ImportFrom):
            resolve(node.module, [name.name for name in node.names])


def resolve(module, names):
    """Import a module and look for names; a config of ours must be there."""
    if module.startswith('sctnet.configs.'):
        path = CONFIG_ROOT.joinpath(*module.split('.')[2:])
        assert path.with_suffix('.py').is_file(), module
        return
    found = importlib.import_module(module)
    for name in names:
        if not hasattr(found, name):
            importlib.import_module(f'{module}.{name}')


@pytest.mark.parametrize('block', [b for b in ALL if b.language == 'bash'], ids=name_of)
def test_commands_pass_their_parsers_and_name_what_exists(block, tmp_path, monkeypatch):
    write_files(block.page, tmp_path)
    monkeypatch.chdir(tmp_path)
    how = entry(block)
    for command in commands(block.code):
        if not check(command, own=isinstance(how, Elsewhere)):
            assert not isinstance(how, Run), f'{command} is no command of ours'


@pytest.mark.parametrize(
    'command',
    [
        'python tools/train.py sctnet-s-ade --techer FILE',
        'python tools/train.py sctnet-s-adee',
        'mim train sctnet sctnet-s-ade --cfg-options model.siam.heat=3',
        'mim train sctnet sctnet-s-ade --cfg-options net.siam=None',
        'python tools/educate.py sctnet-s-ade',
        'tools/dist_train.sh CONFIG',
        'make tset',
    ],
)
def test_a_wrong_command_is_found(command):
    with pytest.raises((AssertionError, ConfigError, SystemExit)):
        check(Command((), tuple(command.split())))


RUN_PAGES = [
    page
    for page, entries in BLOCKS.items()
    if any(isinstance(how, Run) for how in entries.values())
]


@pytest.mark.parametrize('page', RUN_PAGES)
def test_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    """In order, in one folder; Python blocks share their names."""
    monkeypatch.chdir(tmp_path)
    for prepare in (street, scenes, tiny_networks):
        prepare(tmp_path)
    write_files(page, tmp_path)
    names: dict = {}
    for block in blocks(page):
        how = entry(block)
        if not isinstance(how, Run):
            continue
        for prepare in how.needs:
            prepare(tmp_path)
        if how.given:
            names.update(how.given())
        try:
            run(block, tmp_path, names)
        except Exception as error:
            raise AssertionError(f'{block.place}: {error}') from error


def run(block, folder, names):
    """Run one block."""
    if block.language == 'bash':
        run_commands(block.code, folder)
    elif block.title:
        load_config(folder / block.title)
    else:
        exec(compile(block.code, block.place, 'exec'), names)
