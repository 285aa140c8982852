"""How a command ends: its status, one line, a traceback, or nothing at all."""

import logging
import os
import subprocess
import sys

import pytest

from sctnet.cli.print_errors import run_command
from sctnet.errors import ConfigError


def ends(function):
    """The status with which ``function`` ends as a command."""
    with pytest.raises(SystemExit) as ended:
        run_command(function)
    return ended.value.code


def process(code, **options):
    """Start a process in which ``code`` is a command."""
    lead = 'import warnings; from sctnet.cli.print_errors import run_command\n'
    return subprocess.Popen(
        [sys.executable, '-c', f'{lead}run_command(lambda: {code})'],
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_an_error_is_one_line_whatever_a_name_holds(capsys):
    def fail():
        raise ConfigError("there is no config 'a\nb\x1b[2J\udcff'")

    assert ends(fail) == 2
    expected = "error: there is no config 'a\\nb\\x1b[2J\\udcff'\n"
    assert capsys.readouterr().err == expected


def test_a_traceback_is_there_for_who_asks(capsys, monkeypatch):
    def fail():
        raise ConfigError('no config')

    monkeypatch.setenv('SCTNET_TRACEBACK', '1')
    assert ends(fail) == 2
    said = capsys.readouterr().err
    assert 'in fail' in said
    assert said.endswith('error: no config\n')


def test_an_error_of_code_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 / 0)


def test_an_error_that_an_interrupt_became_is_an_interrupt(capsys):
    def fail():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SyntaxError('Failed to format the config file')  # noqa: B904

    assert ends(fail) == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_log_lines_that_cannot_be_written_are_no_tracebacks(capsys, monkeypatch):
    monkeypatch.setattr(logging, 'raiseExceptions', True)
    handler = logging.FileHandler('/dev/full')
    assert ends(lambda: handler.emit(logging.makeLogRecord({'msg': 'x'}))) == 0
    assert capsys.readouterr().err == ''


def test_a_full_disk_and_a_closed_pipe_are_no_tracebacks():
    env = {**os.environ, 'PYTHONUNBUFFERED': ''}
    with open('/dev/full', 'w') as full:
        started = process('print("x")', stdout=full, env=env)
        said = started.communicate()[1]
    assert started.returncode == 2
    assert said.startswith('error: cannot write a file (No space left on')
    assert said.count('\n') == 1
    started = process('print("x")', stdout=subprocess.PIPE, env=env)
    started.stdout.close()
    assert started.stderr.read() == ''
    assert started.wait() == 1


@pytest.mark.parametrize('encoding', ['utf-8', 'ascii'])
def test_a_name_that_the_terminal_cannot_show_is_shown_escaped(encoding):
    env = {**os.environ, 'PYTHONIOENCODING': f'{encoding}:strict'}
    started = process(r'print("\udcff")', stdout=subprocess.PIPE, env=env)
    assert started.communicate() == ('\\udcff\n', '')


def test_what_mmengine_warns_of_and_nobody_can_change_is_not_shown():
    started = process("warnings.warn('pkg_resources is deprecated as an API')")
    assert started.communicate()[1] == ''
