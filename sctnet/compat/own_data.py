"""Configs with the ``own_data`` of before: they are told what takes its place.

A version of before spread ``own_data`` over the config that a training wrote into its
work folder, and noted that (``applied``). Such a config has every value, and goes on.
"""

import ast
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import ConfigError

_BASE = re.compile(r'_base_[./\\]own_data')
_KEYS = ('root', 'classes', 'reduce_zero_label')


def refuse_own_data(cfg: Config) -> None:
    """Raise a ConfigError if ``cfg`` has an ``own_data`` that is not spread."""
    own = cfg.get('own_data')
    if isinstance(own, Mapping) and not own.get('applied'):
        raise _gone(cfg.filename or 'of this call', own)


def refuse_own_base(path: Path, error: Exception) -> None:
    """Raise a ConfigError if reading ``path`` failed by a base of ``own_data``."""
    if _BASE.search(str(error)):
        raise _gone(path, _written(path)) from error


def _written(path: Path) -> dict[str, Any]:
    """Return what a file says of its data, which is not run."""
    found = {}
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.keyword) and node.arg in _KEYS:
            with suppress(ValueError):  # no literal
                found[node.arg] = ast.literal_eval(node.value)
    return found


def _gone(config: object, own: Mapping[str, Any]) -> ConfigError:
    return ConfigError(
        f"config '{config}' has own_data, which is no more: run {_command(own)}, which "
        'writes plain configs, and carry other values over; to go on with a training '
        'of before, give the config in its work folder'
    )


def _command(own: Mapping[str, Any]) -> str:
    root, classes = own.get('root'), own.get('classes')
    if not isinstance(root, str):
        return "'sctnet new FOLDER'"
    words = ['sctnet', 'new', root]
    # What a conversion has written holds the names of its classes.
    if isinstance(classes, list | tuple) and not Path(root, 'dataset.json').is_file():
        words += ['--classes', ','.join(map(str, classes))]
        if own.get('reduce_zero_label'):
            moved = ','.join(f'{i + 1}:{i}' for i in range(len(classes)))
            words += ['--map', f'0:ignore,{moved}']
    return f'"{shlex.join(words)}"'
