"""Prints an error as one line and ends a command with its status."""

import io
import logging
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from ..compat.gaps import quieten_libraries
from ..errors import SCTNetError
from .library_errors import explain_run


def run_command(command: Callable[[], Any]) -> NoReturn:
    """Call ``command`` and exit with its status; with 2 after one line for an error.

    The line is for an :class:`SCTNetError`, which a user can mend; any other error is a
    bug and keeps its traceback. Status 130 is an interrupt.

    With ``SCTNET_TRACEBACK=1`` in the environment the line's traceback comes before it.
    """
    quieten_libraries()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == 'strict':
        # A file's name may hold what the terminal's encoding has not.
        sys.stdout.reconfigure(errors='backslashreplace')
    # On a full disk every line of a log would print a traceback.
    logging.raiseExceptions = False
    try:
        with explain_run():
            status = command()
            sys.stdout.flush()
    except SCTNetError as error:
        if os.environ.get('SCTNET_TRACEBACK'):
            traceback.print_exc()
        print(f'error: {_printable(str(error))}', file=sys.stderr)
        _drop_output()
        sys.exit(2)
    except BrokenPipeError:  # what read the output has ended, such as head
        _drop_output()
        sys.exit(1)
    except KeyboardInterrupt:
        _say_interrupted()
    except Exception as error:
        # mmengine prints the config at each checkpoint, and its formatter makes
        # another error of an interrupt.
        if not _follows_interrupt(error):
            raise
        _say_interrupted()
    sys.exit(status or 0)


def _say_interrupted() -> NoReturn:
    print('interrupted', file=sys.stderr)
    sys.exit(130)


def _follows_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _drop_output() -> None:
    """Let Python's end find nothing to write where nothing can be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _printable(text: str) -> str:
    """One line without control characters, which a file's name may hold."""
    return ''.join(
        c if c.isprintable() else c.encode('unicode_escape').decode() for c in text
    )
