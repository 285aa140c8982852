import logging
import os
import subprocess
import sys

import pytest

from sctnet.cli.run_command import run_tool
from sctnet.errors import ConfigError


def test_an_error_is_one_line_whatever_a_name_holds(capsys):
    def fail():
        raise ConfigError("there is no config 'a\nb\x1b[2J\udcff'")

    with pytest.raises(SystemExit):
        run_tool(fail)
    assert capsys.readouterr().err == (
        "error: there is no config 'a\\nb\\x1b[2J\\udcff'\n"
    )


def test_a_full_disk_and_a_closed_pipe_are_no_tracebacks():
    code = 'from sctnet.cli.run_command import run_tool; run_tool(lambda: print("x"))'
    tool = {
        'args': [sys.executable, '-W', 'ignore', '-c', code],
        'env': {**os.environ, 'PYTHONUNBUFFERED': ''},
        'stderr': subprocess.PIPE,
        'text': True,
    }
    with open('/dev/full', 'w') as full:
        done = subprocess.run(stdout=full, check=False, **tool)
    assert done.returncode == 2
    assert done.stderr.startswith('error: cannot write a file (No space left on')
    assert 'Traceback' not in done.stderr
    with subprocess.Popen(stdout=subprocess.PIPE, **tool) as started:
        started.stdout.close()
        said = started.stderr.read()
    assert started.returncode == 1
    assert said == ''


def test_a_traceback_is_there_for_who_asks(monkeypatch, capsys):
    def fail():
        raise ConfigError('no config')

    monkeypatch.setenv('SCTNET_TRACEBACK', '1')
    with pytest.raises(SystemExit):
        run_tool(fail)
    said = capsys.readouterr().err
    assert 'in fail' in said
    assert said.endswith('error: no config\n')


def test_log_lines_that_cannot_be_written_are_no_tracebacks(capsys, monkeypatch):
    monkeypatch.setattr(logging, 'raiseExceptions', True)
    handler = logging.FileHandler('/dev/full')

    def log():
        handler.emit(logging.makeLogRecord({'msg': 'x'}))

    with pytest.raises(SystemExit) as ended:
        run_tool(log)
    assert ended.value.code == 0
    assert capsys.readouterr().err == ''


def test_an_error_that_an_interrupt_became_is_an_interrupt(capsys):
    def fail():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SyntaxError('Failed to format the config file')  # noqa: B904

    with pytest.raises(SystemExit) as ended:
        run_tool(fail)
    assert ended.value.code == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_an_error_of_code_keeps_its_traceback():
    def fail():
        raise ValueError('a fault of ours')

    with pytest.raises(ValueError, match='a fault of ours'):
        run_tool(fail)


@pytest.mark.parametrize('encoding', ['utf-8', 'ascii'])
def test_a_name_that_the_terminal_cannot_show_is_shown_escaped(encoding):
    code = 'from sctnet.cli.run_command import run_tool\n'
    code += r'run_tool(lambda: print("\udcff"))'
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        env={**os.environ, 'PYTHONIOENCODING': f'{encoding}:strict'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, '\\udcff'), done.stderr


def test_what_mmengine_warns_of_and_nobody_can_change_is_not_shown():
    code = (
        'import warnings; from sctnet.cli.run_command import run_tool\n'
        "run_tool(lambda: warnings.warn('pkg_resources is deprecated as an API'))"
    )
    words = [sys.executable, '-c', code]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ''
