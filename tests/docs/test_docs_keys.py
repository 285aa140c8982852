"""Keys, options and names of configs in README.md and docs/ mean something."""

import inspect
import re
from collections.abc import Mapping

import pytest
import torch
from doc_pages import PAGES, inline_code, text_of
from mmengine.config import Config, DictAction
from mmengine.registry import Registry
from mmengine.runner import Runner
from mmseg import registry as mmseg_registry
from support import REPOSITORY

from sctnet.catalog import leaf_names, load_config, merge_options, short_names
from sctnet.engine import FreezeHook


def parameters(function):
    return set(inspect.signature(function).parameters) - {'self'}


LOADER = parameters(torch.utils.data.DataLoader.__init__)
# What may be added to a dictionary that no class takes whole, by its name.
PLAIN = {
    '': parameters(Runner.__init__) | {'data_root'},
    **{f'{part}_dataloader': LOADER for part in ('train', 'val', 'test')},
    'default_hooks': {'freeze'},
    'freeze': parameters(FreezeHook.__init__) | {'type'},
    'clip_grad': parameters(torch.nn.utils.clip_grad_norm_),
    'init_cfg': {'type', 'checkpoint', 'prefix'},
    'randomness': parameters(Runner.set_randomness),
    'test_cfg': {'mode', 'fused', 'shortcuts'},
    'train_cfg': {'fused', 'shortcuts', 'channels_last', 'compile'},
}
ROOTS = 'model optim_wrapper custom_hooks param_scheduler default_hooks visualizer '
ROOTS += 'train_dataloader val_dataloader test_dataloader train_cfg val_cfg test_cfg '
ROOTS = (ROOTS + 'randomness load_from').split()
KEY = re.compile(rf'(?:{"|".join(ROOTS)})(?:\.\w+)+')
CONFIG = re.compile(r'(?:sctnet|segformer)(?:-[a-z0-9]+-[a-z0-9]+|_\w+_\d+xb\d+_\w+)')
STUDENT = 'sctnet-s-ade'


def arguments_of(kind):
    """Names that a registered class takes, its bases' where it passes keywords on."""
    if isinstance(kind, str):
        registries = [r for r in vars(mmseg_registry).values() if type(r) is Registry]
        kind = next(filter(None, (registry.get(kind) for registry in registries)))
    names = {'type'}
    for base in kind.__mro__:
        names |= parameters(base.__init__)
        if 'kwargs' not in parameters(base.__init__):
            break
    return names


def unknown_part(cfg, key):
    """Return the first part of a dotted ``key`` that means nothing; None if all do."""
    place, parent = cfg, ''
    for part in key.split('.'):
        if isinstance(place, list | tuple):
            place = dict(zip(map(str, range(len(place))), place, strict=True))
        if part not in place:
            kind = place.get('type') if isinstance(place, Mapping) else None
            if part not in (arguments_of(kind) if kind else PLAIN.get(parent, ())):
                return part
        place, parent = place.get(part, {}), part
    return None


def check_options(cfg, options):
    """Fail where a key means nothing, or cannot be merged into ``cfg``."""
    for key in options:
        assert unknown_part(cfg, key) is None, f'{key}: {unknown_part(cfg, key)}'
    merge_options(cfg, options)


def test_a_wrong_key_is_found():
    keys = 'model.siam.HEAT NET.siam custom_hooks.0.DTYP custom_hooks.3'
    keys += ' train_dataloader.BATCHSIZE optim_wrapper.clip_grad.NORM'
    for key in keys.split():
        wrong = re.search('[A-Z]+|3', key)[0]
        assert unknown_part(load_config(STUDENT), key) == wrong


def test_options_of_the_tables_change_a_config():
    """Each ``KEY=VALUE ...`` that stands as code in a table's last column."""
    count = 0
    for page in ('README.md', 'docs/configs.md'):
        rows = [row for row in text_of(page).splitlines() if row.startswith('|')]
        cells = (row.rstrip('| ').rpartition('|')[2] for row in rows)
        for code in (code for cell in cells for code in re.findall('`([^`]+)`', cell)):
            pairs = [word.partition('=') for word in code.split()]
            if all(key.split('.')[0] in ROOTS and value for key, _, value in pairs):
                parse = DictAction._parse_iterable
                options = {key: parse(value) for key, _, value in pairs}
                check_options(load_config(STUDENT), options)
                count += 1
    assert count >= 20


# One page is about a project that needs torchvision: tests/more/training has it.
@pytest.mark.parametrize('page', [p for p in PAGES if p != 'docs/pretraining.md'])
def test_keys_and_configs_in_the_text_exist(page, monkeypatch):
    configs = [load_config(name) for name in (STUDENT, 'segformer-t-streets')]
    for project in set(re.findall(r'projects/\w+', text_of(page))):  # a page about it
        monkeypatch.syspath_prepend(REPOSITORY / project)
        files = sorted((REPOSITORY / project / 'configs').glob('[a-z]*.py'))
        configs += [Config.fromfile(file) for file in files]
    scripts = (REPOSITORY / 'projects').rglob('*.py')
    names = {*short_names(), *leaf_names(), *(path.stem for path in scripts)}
    for word in (word for code in inline_code(page) for word in code.split()):
        key = word.partition('=')[0]
        if KEY.fullmatch(key) and not key.endswith('.py'):
            # The text also says test_cfg for the model's.
            tried = [(cfg, k) for cfg in configs for k in (key, f'model.{key}')]
            assert any(unknown_part(*one) is None for one in tried), word
        name = word.removesuffix('.py').rpartition('/')[2]
        assert not CONFIG.fullmatch(name) or name in names, word
