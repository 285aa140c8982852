"""Where the facts of a check go, and what of them was wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ..machine import describe_code


class Record:
    """Facts, each a line of JSON, written at once: a GPU may take the process along.

    Args:
        file: the lines are appended to it.
        print_line: told each line.
    """

    def __init__(self, file: Path, print_line: Callable[[str], None] = print) -> None:
        self.file = file
        self.print_line = print_line
        self.commit = describe_code()
        self.wrong: list[str] = []
        self.skipped: list[str] = []

    def say(self, section: str, **facts: Any) -> None:
        """Write a fact; raises :class:`OutputError`."""
        line = json.dumps({'section': section, 'commit': self.commit, **facts})
        self.print_line(line)
        try:
            with self.file.open('a', encoding='utf-8') as file:
                file.write(f'{line}\n')
        except OSError as error:
            raise OutputError(
                f"cannot write '{self.file}' ({error.strerror}): name another folder "
                'with --out'
            ) from error
        name = f'{section}: {facts["case"]}' if 'case' in facts else section
        if facts.get('ok') is False:
            self.wrong.append(name)
        if 'skipped' in facts:
            self.skipped.append(name)
