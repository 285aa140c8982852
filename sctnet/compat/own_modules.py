"""Modules of a user's own, in files beside a config."""

import importlib
import importlib.util
import logging
import os
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject
from mmengine.logging import print_log

from ..errors import ConfigError

_KEYS = {'imports', 'allow_failed_imports'}
_NOT_OWN = ('<frozen', 'site-packages', sysconfig.get_path('stdlib'), __file__)


def search_beside(config: Path) -> None:
    """Find modules beside a config, and in the folder where the command is run.

    Last of all, so that they take no installed module's place. Processes that load
    data, forked or spawned, search the same places.
    """
    for place in (str(config.resolve().parent), os.getcwd()):
        if place not in sys.path:
            sys.path.append(place)


def import_custom_modules(cfg: Config) -> None:
    """Import what ``custom_imports`` names, of new-style configs too.

    Raises:
        ConfigError: there is no such module, it fails while it is imported, or the
            value is no list of names.
    """
    custom = cfg.get('custom_imports')
    if custom is None:
        return
    names = custom.get('imports') if isinstance(custom, dict) else None
    names = [names] if isinstance(names, str) else names
    listed = isinstance(names, list | tuple) and set(custom) <= _KEYS
    if not listed or not all(isinstance(name, str) for name in names or ()):
        raise ConfigError(
            f'custom_imports is {custom!r}: set it to a dict of names of modules, such '
            "as dict(imports=['my_hooks']), with allow_failed_imports if you like"
        )
    for name in names or ():
        _check_name(name)
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            absent = error.name if isinstance(error, ModuleNotFoundError) else None
            if absent and f'{name}.'.startswith(f'{absent}.'):
                said = _no_module('custom_imports names', name)
            else:  # it is there, and what it does fails
                said = f"custom_imports names '{name}', {_failed(error)}"
            if not custom.get('allow_failed_imports'):
                raise ConfigError(said) from error
            print_log(f'left out: {said}', 'current', logging.WARNING)


def _check_name(name: str) -> None:
    path = name.startswith('.') or name.endswith('.py') or set(name) & {'/', '\\'}
    if name and not path:
        return
    stem = Path(name.removesuffix('.py')).name.strip('.')
    cure = f"write '{stem}'" if stem.isidentifier() else 'write one such as my_hooks'
    raise ConfigError(f"custom_imports names '{name}', which is no module: {cure}")


def _failed(error: BaseException) -> str:
    """Say that a module fails, and where: its last line that is no library's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not any(x in f.filename for x in _NOT_OWN)]
    # Of a file that cannot be parsed, Python says the line itself.
    at = f', {Path(own[-1].filename).name} line {own[-1].lineno}' if own else ''
    if isinstance(error, SyntaxError):
        at = ''
    said = ' '.join(str(error).split())
    return (
        f'which fails while it is imported ({type(error).__name__}: {said}{at}): mend '
        'the module, or install what it needs'
    )


def check_imports(cfg: Config, path: Path) -> None:
    """See that what a new-style config imports from files of one's own is there.

    Raises:
        ConfigError: it is not, or has no such name.
    """
    pending: list[Any] = [cfg._cfg_dict]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += dict.values(value)  # those of ConfigDict would import at once
        elif isinstance(value, list | tuple):
            pending += value
        elif isinstance(value, LazyObject | LazyAttr):
            top = value.module.partition('.')[0]
            spec = importlib.util.find_spec(top)
            if spec is None:
                raise ConfigError(_no_module(f"config '{path}' imports from", top))
            beside = Path(spec.origin or '').resolve().parent == path.resolve().parent
            if not beside:
                continue
            try:
                importlib.import_module(value.module)
            except (Exception, SystemExit) as error:  # mmengine would hide where
                raise ConfigError(
                    f"config '{path}' imports '{value.module}', {_failed(error)}"
                ) from error
            try:
                value.build()
            except ImportError as error:
                raise ConfigError(
                    f"config '{path}' cannot import what it names ({error}): correct "
                    'the name, or the module'
                ) from error


def _no_module(what: str, name: str) -> str:
    top, _, rest = name.partition('.')
    if rest and importlib.util.find_spec(top) is not None:
        return f"{what} '{name}', and {top} has no such module: correct the name"
    return (
        f"{what} '{name}', and there is no such module: put {name}.py beside the "
        'config or into the folder where the command is run, or install it'
    )
