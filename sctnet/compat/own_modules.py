"""Modules of a user's own, in files beside a config."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config.lazy import LazyAttr, LazyObject

from ..errors import ConfigError


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
        ConfigError: there is no such module, or it is no list of names.
    """
    custom = cfg.get('custom_imports')
    if custom is None:
        return
    names = custom.get('imports') if isinstance(custom, dict) else None
    names = [names] if isinstance(names, str) else names
    listed = isinstance(names, list | tuple)
    if not listed or not all(isinstance(name, str) for name in names or ()):
        raise ConfigError(
            f'custom_imports is {custom!r}: set it to a dict of names of modules, such '
            "as dict(imports=['my_hooks'])"
        )
    for name in names or ():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not f'{name}.'.startswith(f'{error.name}.'):
                raise  # it is there, and what it imports is not
            if not custom.get('allow_failed_imports'):
                raise ConfigError(_no_module('custom_imports names', name)) from error


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
                value.build()
            except ImportError as error:
                raise ConfigError(
                    f"config '{path}' cannot import what it names ({error}): correct "
                    'the name, or the module'
                ) from error


def _no_module(what: str, name: str) -> str:
    return (
        f"{what} '{name}', and there is no such module: put {name}.py beside the "
        'config or into the folder where the command is run, or install it'
    )
