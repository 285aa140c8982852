"""A tool's ``main`` called in this process, with what would take long left out."""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any
from unittest import mock

from stock import REPOSITORY


@cache
def load_tool(name: str) -> ModuleType:
    """Import ``tools/NAME`` as a module."""
    spec = importlib.util.spec_from_file_location(
        f'tool_{name.partition(".")[0]}', REPOSITORY / 'tools' / name
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tool_call(
    name: str, *words: Any, stubs: dict[str, Any] | None = None
) -> Callable[[], None]:
    """Return a call of ``tools/NAME WORDS``, behind ``run_tool`` as in a shell.

    ``stubs`` maps dotted places to what stands there while it runs; a place that
    starts with a dot is the tool's own.
    """

    def call() -> None:
        from sctnet.engine.launch import run_tool

        module = load_tool(name)
        with contextlib.ExitStack() as stack:
            for place, stub in (stubs or {}).items():
                stack.enter_context(_replaced(module, place, stub))
            argv = [name, *map(str, words)]
            stack.enter_context(mock.patch.object(sys, 'argv', argv))
            run_tool(module.main)

    return call


@contextlib.contextmanager
def _replaced(module: ModuleType, place: str, stub: Any) -> Iterator[None]:
    if place.startswith('.'):
        patch = mock.patch.object(module, place[1:], stub)
    else:
        patch = mock.patch(place, stub)
    with patch:
        yield
