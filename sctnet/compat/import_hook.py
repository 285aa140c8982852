"""Calls a function just before, or just after, a module is imported for the first time.

One finder at the head of ``sys.meta_path`` lets the others find the module, and wraps
its loader's ``exec_module``. A module that is there already is served at once.
"""

import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def install(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """See that a function is called before, or after, a module's own code runs.

    Args:
        before: module name to function, ``'package.module:name'``, without arguments.
        after: the same, of functions that wait for the module.
    """
    sys.meta_path.insert(0, _Finder(before, after))
    for name, function in (*before.items(), *after.items()):
        if name in sys.modules:
            _call(function)


def _call(function: str) -> None:
    module, _, name = function.partition(':')
    getattr(importlib.import_module(module), name)()


class _Finder(MetaPathFinder):
    def __init__(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self._before, self._after = before, after
        self._searching = threading.local()

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a watched module as the other finders do, and wrap its loader."""
        if name not in self._before and name not in self._after:
            return None
        if getattr(self._searching, 'name', None) == name:
            return None
        self._searching.name = name
        try:
            spec = find_spec(name)
        finally:
            self._searching.name = None
        if spec is not None and spec.loader is not None:
            self._wrap(spec.loader, name)
        return spec

    def _wrap(self, loader: Any, name: str) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            if name in self._before:
                _call(self._before[name])
            execute(module)
            if name in self._after:
                _call(self._after[name])

        loader.exec_module = exec_module
