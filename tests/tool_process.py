"""A tool of ours in its own process, as a user starts it."""

import subprocess
import sys

from support import REPOSITORY

TOOLS = REPOSITORY / 'tools'


def start(tool, *words, cwd):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', str(TOOLS / tool), *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def one_line_error(done):
    lines = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert done.returncode == 2, done.stderr
    assert 'Traceback' not in done.stderr
    assert len(lines) == 1, done.stderr
    return lines[0]
