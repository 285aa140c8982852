"""A command of ours called in this process, with what would take long left out."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock


def tool_call(
    command: str, *words: Any, stubs: dict[str, Any] | None = None
) -> Callable[[], None]:
    """Return a call of ``sctnet COMMAND WORDS``, with its exit status, as in a shell.

    ``stubs`` maps dotted places to what stands there while it runs.
    """

    def call() -> None:
        from sctnet.cli import main

        line = [command, *map(str, words)]
        with contextlib.ExitStack() as stack:
            for place, stub in (stubs or {}).items():
                stack.enter_context(mock.patch(place, stub))
            stack.enter_context(mock.patch.object(sys, 'argv', ['sctnet', *line]))
            main(line)

    return call


def without_weights(model: Any) -> dict[str, Any]:
    """Return stubs by which a command takes ``model`` for any weight file."""
    return {
        'sctnet.apis.init_model': lambda *args, **options: model,
        'sctnet.weights.segmentor_files.find_segmentor': str,
    }
