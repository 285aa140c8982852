"""Calls a function just before, or just after, a module is imported for the first time.

One finder at the head of ``sys.meta_path`` lets the others find the module, and wraps
its loader's ``exec_module``. A module that is there already is served at once.
"""

import importlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple


class Call(NamedTuple):
    """A function, ``'package.module:name'``, and whether the module waits for it."""

    function: str
    first: bool

    def __call__(self) -> None:
        """Import the function's module and call it, without arguments."""
        module, _, name = self.function.partition(':')
        getattr(importlib.import_module(module), name)()


def before(function: str) -> Call:
    """Call ``function`` before the module's own code runs."""
    return Call(function, first=True)


def after(function: str) -> Call:
    """Call ``function`` when the module's own code has run."""
    return Call(function, first=False)


def install(calls: Mapping[str, Call]) -> None:
    """See that each function of ``calls``, by module name, is called in its time."""
    sys.meta_path.insert(0, _Finder(calls))
    for name, call in calls.items():
        if name in sys.modules:
            call()


class _Finder(MetaPathFinder):
    def __init__(self, calls: Mapping[str, Call]) -> None:
        self._calls = calls
        self._searching = threading.local()

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a watched module as the other finders do, and wrap its loader."""
        call = self._calls.get(name)
        if call is None or getattr(self._searching, 'name', None) == name:
            return None
        self._searching.name = name
        try:
            spec = find_spec(name)
        finally:
            self._searching.name = None
        if spec is not None and spec.loader is not None:
            _wrap(spec.loader, call)
        return spec


def _wrap(loader: Any, call: Call) -> None:
    execute: Callable[[ModuleType], None] = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        if call.first:
            call()
        execute(module)
        if not call.first:
            call()

    loader.exec_module = exec_module
