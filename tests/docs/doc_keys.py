"""Whether a key of ``--cfg-options`` means something in a config."""

import inspect
from collections.abc import Mapping

import torch
from mmengine.registry import root
from mmengine.runner import Runner
from mmseg import registry as mmseg_registry
from mmseg.registry import MODELS

from sctnet.engine.launch import merge_options

LOADER = set(inspect.signature(torch.utils.data.DataLoader).parameters)
# Dictionaries that no class takes whole, by the name they have.
PLAIN = {
    'clip_grad': set(inspect.signature(torch.nn.utils.clip_grad_norm_).parameters),
    'init_cfg': {'type', 'checkpoint', 'prefix'},
    'norm_cfg': {'type', 'requires_grad', 'eps', 'momentum'},
    'randomness': set(inspect.signature(Runner.set_randomness).parameters),
    'test_cfg': {'mode', 'fused'},
    'train_cfg': {'fused', 'channels_last', 'compile'},
}
TOP = set(inspect.signature(Runner.__init__).parameters) | {'data_root'}
ROOTS = ('model', 'optim_wrapper', 'custom_hooks', 'param_scheduler', 'default_hooks')
ROOTS += ('train_dataloader', 'val_dataloader', 'test_dataloader', 'visualizer')
ROOTS += ('train_cfg', 'val_cfg', 'test_cfg', 'randomness', 'load_from')


def arguments_of(kind):
    """Names that a class takes, its bases' where it passes keywords on."""
    names = set()
    for base in kind.__mro__:
        parameters = inspect.signature(base.__init__).parameters.values()
        names |= {p.name for p in parameters}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names - {'self'}


def class_of(kind):
    """Return the class that a config's ``type`` is or names."""
    if not isinstance(kind, str):
        return kind
    registries = [r for r in vars(mmseg_registry).values() if hasattr(r, 'get')]
    for registry in (*registries, MODELS, root):
        found = registry.get(kind)
        if found is not None:
            return found
    raise AssertionError(f'no class is registered as {kind}')


def unknown_part(cfg, key):
    """Return the first part of a dotted ``key`` that means nothing; None if all do."""
    place, parent = cfg, ''
    for part in key.split('.'):
        if isinstance(place, list | tuple):
            if not part.isdecimal() or int(part) >= len(place):
                return part
            place, parent = place[int(part)], part
            continue
        if hasattr(place, 'keys') and part in place:
            place, parent = place[part], part
            continue
        if part not in allowed(place, parent, key):
            return part
        place, parent = {}, part
    return None


def allowed(place, parent, key):
    """Names that may be added at a place of a config."""
    if parent == '':
        return TOP
    if isinstance(place, Mapping) and 'type' in place:
        return arguments_of(class_of(place['type'])) | {'type'}
    if parent.endswith('_dataloader'):
        return LOADER
    return PLAIN.get(parent, set())


def check_options(cfg, options):
    """Fail where a key means nothing, or cannot be merged into ``cfg``."""
    for key in options:
        assert unknown_part(cfg, key) is None, f'{key}: {unknown_part(cfg, key)}'
    merge_options(cfg, options)
