"""Hooks and transforms in a file beside the config."""

import re
import sys
import textwrap
import uuid

import pytest
from own_folder import write_config

from sctnet.catalog import load_config, merge_options
from sctnet.compat import own_modules
from sctnet.engine.check_names import check_names
from sctnet.errors import ConfigError

MODULE = """
    from mmengine.hooks import Hook
    from mmengine.registry import HOOKS

    @HOOKS.register_module(force=True)
    class {hook}(Hook):
        pass
"""
HEAD = 'from mmengine.config import read_base\n'
CONFIGS = {
    'an import': HEAD
    + 'from {module} import {hook}\ncustom_hooks = [dict(type={hook})]',
    'by attribute': (
        HEAD + 'import {module}\ncustom_hooks = [dict(type={module}.{hook})]'
    ),
    'custom_imports': (
        HEAD + "custom_imports = dict(imports=['{module}'])\n"
        "custom_hooks = [dict(type='{hook}')]"
    ),
    'of strings': (
        "custom_imports = dict(imports='{module}')\n"
        "custom_hooks = [dict(type='{hook}')]"
    ),
}


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Write a module of one's own and a config that uses it; the names are new."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    tag = uuid.uuid4().hex
    names = {'module': f'my_hooks_{tag}', 'hook': f'Hook{tag}'}

    def write(text, module=MODULE):
        folder = tmp_path / 'mine'
        folder.mkdir(exist_ok=True)
        if module is not None:
            code = textwrap.dedent(module).format(**names)
            (folder / f'{names["module"]}.py').write_text(code)
        lazy = 'read_base' in text
        (folder / 'base.py').write_text('empty = 1\n')
        config = folder / 'my_config.py'
        config.write_text(
            text.format(**names)
            + "\nmodel = dict(type='SCTSegmentor')\n"
            + ('with read_base():\n    from .base import *\n' if lazy else '')
        )
        return config

    write.names = names
    return write


@pytest.mark.parametrize('kind', CONFIGS)
def test_a_module_beside_the_config_is_found(beside, kind):
    cfg = load_config(beside(CONFIGS[kind]))
    check_names(cfg, ['custom_hooks'])
    kind = cfg.custom_hooks[0]['type']
    assert beside.names['hook'] in (kind, getattr(kind, '__name__', None))
    assert sys.path[0] != str(beside('').parent)  # it takes no installed one's place


def test_the_config_in_the_work_folder_finds_it_from_where_the_command_ran(
    beside, tmp_path, monkeypatch
):
    config = beside(CONFIGS['an import'])
    before = list(sys.path)
    cfg = load_config(config)
    check_names(cfg, ['custom_hooks'])
    (tmp_path / 'work').mkdir()
    cfg.dump(tmp_path / 'work/my_config.py')
    del sys.modules[beside.names['module']]
    sys.path[:] = [place for place in before if place]
    monkeypatch.chdir(config.parent)
    check_names(load_config(tmp_path / 'work/my_config.py'), ['custom_hooks'])
    assert beside.names['module'] in sys.modules


MISSING = {
    'an import': 'imports from',
    'by attribute': 'imports from',
    'custom_imports': 'custom_imports names',
    'of strings': 'custom_imports names',
}


@pytest.mark.parametrize('kind', MISSING)
def test_a_module_that_is_not_there_is_said(beside, kind):
    said = rf"{MISSING[kind]} '{beside.names['module']}'.*put .*\.py beside the config"
    with pytest.raises(ConfigError, match=said) as raised:
        load_config(beside(CONFIGS[kind], module=None))
    assert '\n' not in str(raised.value)


def test_a_name_that_its_module_lacks_is_said(beside):
    text = CONFIGS['an import']
    with pytest.raises(ConfigError, match=f'Failed to import {beside.names["hook"]}'):
        load_config(beside(text, module='x = 1'))


@pytest.mark.parametrize('value', ['3', "['my_hooks']", 'dict(imports=[3])'])
def test_custom_imports_of_another_form_are_said(beside, value):
    with pytest.raises(ConfigError, match='set it to a dict of names of modules'):
        load_config(beside(f'{HEAD}custom_imports = {value}'))


FAILING = {
    'import no_such_package': 'ModuleNotFoundError: .*no_such_package.* line 1',
    'x = 1\nimport sctnet.no_such_part': r'ModuleNotFoundError: .*\.py line 2',
    'from os import no_such_name': 'ImportError: .* line 1',
    'x = (': 'SyntaxError: .* line 1',
    'x = 1\ny = int("z")': r'ValueError: .*\.py line 2',
    'x = dict()["y"]': 'KeyError: ',
    'from {module} import nothing_yet': 'ImportError: .*nothing_yet.* line 1',
    'raise SystemExit(0)': 'SystemExit: ',
    'x = {module}': r'NameError: .*\.py line 1',
    'import json; json.loads("{{")': r'JSONDecodeError: .*my_hooks_\w+\.py line 1',
}


@pytest.mark.parametrize('kind', ['an import', 'custom_imports'])
@pytest.mark.parametrize('code', FAILING)
def test_what_fails_inside_of_it_is_said_with_its_line(beside, kind, code):
    with pytest.raises(ConfigError, match=FAILING[code]) as raised:
        load_config(beside(CONFIGS[kind], module=code))
    assert '\n' not in str(raised.value)


def test_what_may_fail_is_left_out_and_said(beside, monkeypatch):
    said = []
    monkeypatch.setattr(own_modules, 'print_log', lambda text, *_: said.append(text))
    allowed = CONFIGS['custom_imports'].replace(
        "'])", "', 'nowhere'], allow_failed_imports=True)", 1
    )
    load_config(beside(allowed, module='x = int("z")'))
    assert ['ValueError' in said[0], "'nowhere'" in said[1]] == [True, True]


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        ("['mine.py']", "'mine.py', which is no module: write 'mine'"),
        ("['.mine']", "which is no module: write 'mine'"),
        ("['']", "'', which is no module: write one such as my_hooks"),
        ("['sctnet.modles']", 'sctnet has no such module: correct the name'),
        ("['os'], allow_failed=True", 'set it to a dict of names of modules'),
    ],
)
def test_a_name_that_is_no_modules_is_said(beside, value, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_config(beside(f'{HEAD}custom_imports = dict(imports={value})'))


def test_options_of_the_command_line_import_too(beside):
    cfg = load_config(beside("custom_hooks = [dict(type='{hook}')]"))
    merge_options(cfg, {'custom_imports.imports': [beside.names['module']]})
    check_names(cfg, ['custom_hooks'])


def test_it_trains_a_config_of_own_data(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    (tmp_path / 'my_steps.py').write_text(
        textwrap.dedent("""
            from mmcv.transforms import BaseTransform

            class Darken(BaseTransform):
                def transform(self, results):
                    results['img'] = results['img'] // 2
                    return results
        """)
    )
    config = write_config(tmp_path / 'mine.py', tmp_path / 'data')
    text = config.read_text().replace(
        '\n\nwith', '\n\nfrom my_steps import Darken\n\nwith', 1
    )
    config.write_text(
        text + 'train_pipeline.insert(2, dict(type=Darken))\n'
        'train_dataloader.update(dataset=dict(pipeline=train_pipeline))\n'
    )
    cfg = load_config(config)
    check_names(cfg)
    assert cfg.train_dataloader.dataset.pipeline[2]['type'].__name__ == 'Darken'
