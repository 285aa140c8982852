"""Checks the names in a config before mmengine builds from it.

A class that does not exist and an argument that its class does not take are told with
their place in the config. What a class makes of a value, it says itself.
"""

import contextlib
import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mmengine import registry as r
from mmengine.config import Config
from mmengine.registry import Registry, init_default_scope
from torch.utils.data import DataLoader

from ..compat.config_types import kind_of
from ..errors import ConfigError
from .arguments import arguments_of, required_of, truths_of
from .check_bands import check_band_order
from .check_losses import check_loss_configs
from .check_sliding_window import check_test_cfg

_LOADER = {
    'dataset': r.DATASETS,
    'datasets': r.DATASETS,
    'sampler': r.DATA_SAMPLERS,
    'batch_sampler': r.DATA_SAMPLERS,
    'pipeline': r.TRANSFORMS,
    'transforms': r.TRANSFORMS,
}
_HOOKS = {'default_hooks': r.HOOKS, 'custom_hooks': r.HOOKS}
_MODEL = dict.fromkeys(
    (
        *('backbone', 'neck', 'decode_head', 'auxiliary_head', 'loss_decode', 'siam'),
        *('data_preprocessor', 'module', 'norm_cfg', 'act_cfg', 'conv_cfg'),
    ),
    r.MODELS,
)
# Of each section: what it builds itself, and what its keys build, wherever they are.
_SECTIONS: dict[str, tuple[Registry | None, dict[str, Registry]]] = {
    'model': (r.MODELS, _MODEL),
    'train_dataloader': (None, _LOADER),
    'val_dataloader': (None, _LOADER),
    'test_dataloader': (None, _LOADER),
    'train_cfg': (r.LOOPS, {}),
    'val_cfg': (r.LOOPS, {}),
    'test_cfg': (r.LOOPS, {}),
    'optim_wrapper': (r.OPTIM_WRAPPERS, {'optimizer': r.OPTIMIZERS}),
    'param_scheduler': (r.PARAM_SCHEDULERS, {}),
    'val_evaluator': (r.METRICS, {'metrics': r.METRICS}),
    'test_evaluator': (r.METRICS, {'metrics': r.METRICS}),
    'default_hooks': (r.HOOKS, {}),
    'custom_hooks': (r.HOOKS, {}),
    'visualizer': (r.VISUALIZERS, {'vis_backends': r.VISBACKENDS}),
    'log_processor': (r.LOG_PROCESSORS, {}),
}
# Arguments that the builder takes away before the class is called.
_BUILDERS = {
    'optim_wrapper': {'optimizer', 'paramwise_cfg', 'constructor'},
    'param_scheduler': {'convert_to_iter_based'},
    'custom_hooks': {'priority'},
    'default_hooks': {'priority'},
}
_OUR_CONSTRUCTORS = ('', 'MergedOptimWrapperConstructor')  # '': mmengine's
# What may leave its class to the builder, or is a dict of several.
_UNTYPED = (*_SECTIONS, 'data_preprocessor', 'optimizer')
_LOADER_KEYS = {'num_batch_per_epoch', 'disable_subprocess_warning', 'type'}
_NUMBERS = {  # the least that they may be
    **{f'{part}_dataloader.batch_size': 1 for part in ('train', 'val', 'test')},
    **{f'{part}_dataloader.num_workers': 0 for part in ('train', 'val', 'test')},
    **{f'train_cfg.{key}': 1 for key in ('max_iters', 'max_epochs', 'val_interval')},
    'optim_wrapper.optimizer.lr': 0,
    'optim_wrapper.accumulative_counts': 1,
    'optim_wrapper.clip_grad.max_norm': 0,
    'param_scheduler.N.warmup_iters': 0,
}
_FRACTIONS = ('.lr', '.max_norm')


def check_names(cfg: Config, sections: Iterable[str] = tuple(_SECTIONS)) -> None:
    """See that ``cfg`` names classes that there are, and arguments that they take.

    Args:
        cfg: the config, options merged.
        sections: which of its parts, by their names in the config.

    Raises:
        ConfigError: it does not; the message has the place and a name that is near.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    if not isinstance(cfg.get('model'), dict):
        raise ConfigError(f'model is {cfg.get("model")!r}: set it to a dict')
    if not isinstance(cfg.get('load_from'), str | None):
        raise ConfigError(f'load_from is {cfg.load_from!r}: set it to a path, or None')
    for section in sections:
        part = cfg.get(section)
        if part is None:
            continue
        registry, keys = _SECTIONS[section]
        if section.endswith('_dataloader') and _is_dict(section, part):
            _check_loader(section, part)
        elif section in _HOOKS:
            _check_hooks(section, part)
        _Walk(section, keys).check(section, part, registry)
        if section == 'model':
            check_test_cfg(part)
            check_loss_configs(part)
            check_band_order(cfg)


def _is_dict(place: str, value: Any) -> bool:
    """Whether ``value`` is a dict; what is built already is not looked into."""
    if isinstance(value, str | bytes | int | float | list | tuple | set):
        raise ConfigError(f'{place} is {value!r}: set it to a dict')
    return isinstance(value, dict)


def _check_loader(place: str, loader: dict) -> None:
    known = {*arguments_of(DataLoader), *_LOADER_KEYS}  # type: ignore[misc]
    for key in loader:
        if key not in known:
            raise ConfigError(_unknown(place, key, 'a data loader', known))
    _check_truths(place, loader, DataLoader)
    for key in ('dataset', 'sampler'):
        if key not in loader:
            raise ConfigError(f'{place} has no {key}: give it one')


def _check_hooks(place: str, hooks: Any) -> None:
    kind = dict if place == 'default_hooks' else list
    if not isinstance(hooks, kind):
        raise ConfigError(
            f'{place} is {hooks!r}: expected a {kind.__name__} of dicts, each with the '
            'type of a hook'
        )


class _Walk:
    """Looks at one section, down to the last dict that names a class."""

    def __init__(self, section: str, keys: Mapping[str, Registry]) -> None:
        self.section, self.keys = section, keys

    def check(self, place: str, value: Any, registry: Registry | None) -> None:
        """Check ``value``, which is to be built from ``registry`` if that is known."""
        if isinstance(value, list | tuple):
            for i, one in enumerate(value):
                self.check(f'{place}.{i}', one, registry)
        elif isinstance(value, dict):
            if registry is r.METRICS and 'metrics' in value:
                registry = r.EVALUATOR
            if 'type' in value and registry is not None:
                self._check_built(place, value, registry)
            elif registry is not None and not place.endswith(_UNTYPED):
                raise ConfigError(f'{place} names no class: give it a type')
            for key, one in value.items():
                # A scheduler for each of several optimizers is a dict of dicts, too.
                many = place in ('default_hooks', 'param_scheduler')
                many = many and 'type' not in value
                below = registry if many else self.keys.get(str(key))
                self.check(f'{place}.{key}', one, below)
        elif _numbered(place) in _NUMBERS and value is not None:
            _check_number(place, value)
        elif registry is not None and value is not None:
            _is_dict(place, value)

    def _check_built(self, place: str, config: dict, registry: Registry) -> None:
        cls = _find_class(place, config['type'], registry)
        _check_truths(place, config, cls)
        if registry is r.HOOKS:
            for key in required_of(cls):
                if key not in config:
                    kind = kind_of({'type': cls})
                    raise ConfigError(f'{place} lacks {key}: {kind} needs it')
        names = arguments_of(cls)
        # Layers have arguments from elsewhere, and a constructor may take its own.
        if names is None or (place.endswith('_cfg') and self.section == 'model'):
            return
        constructor = kind_of({'type': config.get('constructor') or ''})
        if self.section == 'optim_wrapper' and constructor not in _OUR_CONSTRUCTORS:
            return
        names |= _BUILDERS.get(self.section, set())
        for key in config:
            if key not in names and key not in ('type', '_scope_'):
                raise ConfigError(_unknown(place, key, kind_of({'type': cls}), names))


def _check_truths(place: str, config: dict, cls: Callable) -> None:
    """See that what is on or off is no text, which Python takes for on."""
    for key in truths_of(cls) & config.keys():
        if isinstance(config[key], str):
            raise ConfigError(
                f'{place}.{key} is {config[key]!r}: set it to True or False'
            )


def _check_number(place: str, value: Any) -> None:
    whole, least = not place.endswith(_FRACTIONS), _NUMBERS[_numbered(place)]
    right = isinstance(value, int if whole else int | float)
    if not right or isinstance(value, bool) or not value >= least:
        what = 'whole number' if whole else 'number'
        raise ConfigError(f'{place} is {value!r}: set it to a {what} from {least} up')


def _numbered(place: str) -> str:
    """Return a place with N for each number in it."""
    return '.'.join('N' if part.isdigit() else part for part in place.split('.'))


def _find_class(place: str, kind: Any, registry: Registry) -> Callable:
    if callable(kind):
        return kind
    if not isinstance(kind, str) or not kind:
        raise ConfigError(f'{place}.type is {kind!r}: set it to the name of a class')
    found = None
    with registry.switch_scope_and_registry(None) as scoped:
        with contextlib.suppress(RuntimeError):  # a dotted name that leads nowhere
            found = scoped.get(kind)
        known = {*scoped.module_dict, *registry.module_dict}
    if not callable(found):
        raise ConfigError(
            f"{place}.type is '{kind}', and there is no such class"
            f'{_suggest(kind, known)}'
        )
    return found


def _unknown(place: str, key: object, owner: str, known: Iterable[str]) -> str:
    suggestion = _suggest(str(key), known) or ': take it out'
    if key == 'class_weight':  # not nearly a loss_weight
        suggestion = ': it cannot weigh classes, take it out or take CrossEntropyLoss'
    return f"{place}.{key}: {owner} has no argument '{key}'{suggestion}"


def _suggest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ''
