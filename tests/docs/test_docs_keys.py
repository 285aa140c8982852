"""Keys, options and names of configs in the documentation exist."""

import re

import pytest
from doc_commands import ToolCall, parse
from doc_keys import ROOTS, check_options, unknown_part
from doc_pages import inline_code, pages, text_of
from mmengine.config import Config, DictAction
from support import REPOSITORY

from sctnet.catalog import leaf_names, load_config, short_names

STUDENT = 'sctnet-s-ade'
OPTION = re.compile(r'([A-Za-z_]\w*(?:\.\w+)*)=(\S+)')
KEY = re.compile(rf'(?:{"|".join(ROOTS)})(?:\.\w+)+')


def options_of_tables(page):
    """Return every KEY=VALUE that stands as code in a table's last column."""
    rows = [
        line.rstrip('| ').rpartition('|')[2]
        for line in text_of(page).splitlines()
        if line.startswith('|') and '=' in line
    ]
    codes = [code for row in rows for code in re.findall(r'`([^`]+)`', row)]
    return [
        code
        for code in codes
        if all(OPTION.fullmatch(word) for word in code.split())
        and code.split('.')[0].split('=')[0] in ROOTS
    ]


TABLE = options_of_tables('docs/configs.md')


def test_the_table_of_options_is_read():
    assert len(TABLE) >= 20


@pytest.mark.parametrize('code', [*TABLE, *options_of_tables('README.md')])
def test_options_of_the_tables_change_a_config(code):
    pairs = (word.split('=', 1) for word in code.split())
    options = {key: DictAction._parse_iterable(value) for key, value in pairs}
    check_options(load_config(STUDENT), options)


@pytest.mark.parametrize(
    ('key', 'part'),
    [
        ('model.siam.heat', 'heat'),
        ('net.siam', 'net'),
        ('model.train_cfg.fuse', 'fuse'),
        ('custom_hooks.0.dtyp', 'dtyp'),
        ('custom_hooks.3.dtype', '3'),
        ('train_dataloader.batchsize', 'batchsize'),
        ('optim_wrapper.clip_grad.norm', 'norm'),
        ('randomness.sed', 'sed'),
        ('model.backbone.dappm', 'dappm'),
    ],
)
def test_a_wrong_key_is_found(key, part):
    assert unknown_part(load_config(STUDENT), key) == part


@pytest.mark.parametrize('page', pages())
def test_keys_in_the_text_exist(page, monkeypatch):
    configs = [load_config(name) for name in (STUDENT, 'segformer-t-streets')]
    # A page on a project is about its configs too.
    for project in set(re.findall(r'projects/\w+', text_of(page))):
        monkeypatch.syspath_prepend(REPOSITORY / project)
        files = sorted((REPOSITORY / project / 'configs').glob('[a-z]*.py'))
        configs += [Config.fromfile(file) for file in files]
    for code in inline_code(text_of(page)):
        for word in code.split():
            key = word.partition('=')[0]
            if KEY.fullmatch(key) and not key.endswith('.py'):
                # The text also says test_cfg for the model's.
                tried = [(cfg, k) for cfg in configs for k in (key, f'model.{key}')]
                assert any(unknown_part(*one) is None for one in tried), word


@pytest.mark.parametrize('page', pages())
def test_names_of_configs_in_the_text_exist(page):
    projects = (REPOSITORY / 'projects').rglob('*.py')
    known = {*short_names(), *leaf_names(), *(path.stem for path in projects)}
    for code in inline_code(text_of(page)):
        name = code.removesuffix('.py').rpartition('/')[2]
        if re.fullmatch(
            r'(?:sctnet|segformer)-[a-z0-9]+-[a-z0-9]+', name
        ) or re.fullmatch(r'(?:sctnet|segformer)_[a-z]\w*_\d+xb\d+_\w+', name):
            assert name in known, f'{page}: {name}'


def test_options_of_the_export_table_are_the_tools():
    text = text_of('docs/deployment.md')
    rows = re.findall(r'^\| `(--(?:size|output|normalise|precision)[^`]*)`', text, re.M)
    assert len(rows) == 5
    for row in rows:
        words = row.replace('HEIGHT WIDTH', '64 64').split()
        parse(ToolCall('export.py', ('CONFIG', 'FILE', 'sctnet.onnx', *words)))


def test_options_of_the_training_table_are_the_tools():
    rows = re.findall(
        r'^\| `(--[^`]+)`(?:, `(--[^`]+)`)? \|', text_of('README.md'), re.M
    )
    options = [option for row in rows for option in row if option]
    for option in options:
        flag, *value = option.replace('[FILE]', 'FILE').replace('...', '').split()
        if flag in ('--data-root', '--work-dir'):
            value = ['FOLDER']
        if flag == '--launcher':
            value = ['pytorch']
        if flag == '--cfg-options':
            value = ['a=1']
        parse(ToolCall('train.py', ('CONFIG', flag, *value)))
    assert len(options) >= 7


def test_options_of_the_test_section_are_the_tools():
    section = text_of('README.md').partition('\n## Test\n')[2].partition('\n## ')[0]
    text = re.sub(r'```.*?```', '', section, flags=re.DOTALL)
    flags = re.findall(r'`(--[\w-]+)', text)
    assert len(flags) >= 8
    values = {'--tta': [], '--launcher': ['slurm'], '--cfg-options': ['a=1']}
    for flag in flags:
        parse(ToolCall('test.py', ('CONFIG', 'FILE', flag, *values.get(flag, ['x']))))
