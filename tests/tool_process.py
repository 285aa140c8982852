"""Commands of ours as a user types them: in this process, or in one of their own."""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
from unittest import mock

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmseg.visualization import SegLocalVisualizer

from sctnet.cli import main


def call(*words, cwd):
    """``sctnet WORDS`` in this process, which saves seconds of imports."""
    words = [str(word) for word in words]
    for shared in (MessageHub, MMLogger, SegLocalVisualizer):
        shared._instance_dict.clear()  # runs of the same second have the same name
    out, err, before = io.StringIO(), io.StringIO(), os.getcwd()
    os.chdir(cwd)
    try:
        with (
            mock.patch.dict(os.environ),
            mock.patch.object(logging, 'raiseExceptions', True),
            mock.patch.object(sys, 'argv', ['sctnet', *words]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main(words)
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(
        words, ended.value.code, out.getvalue(), err.getvalue()
    )


def start(*words, cwd):
    """``sctnet WORDS`` in a process of its own."""
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'sctnet', *map(str, words)],
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


def metrics(work_dir):
    """The metrics that a test run logged."""
    (path,) = sorted(work_dir.glob('*/*.json'))
    return json.loads(path.read_text().splitlines()[-1])
