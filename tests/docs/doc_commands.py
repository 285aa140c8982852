"""What a documented command is: which tool of ours, and what its own parser says."""

import argparse
import runpy
import sys
from typing import NamedTuple

from doc_keys import check_options
from support import REPOSITORY
from tool_process import TOOLS

from sctnet.catalog import load_config

PLACEHOLDERS = (
    'CONFIG',
    'FILE',
    'CHECKPOINT',
    'WORK_DIR',
)  # that stand for what a reader has
# What comes before the arguments of train.py and test.py in the scripts' own.
SCRIPTS = {
    'dist_train.sh': ('train.py', 1, 1),
    'dist_test.sh': ('test.py', 2, 1),
    'slurm_train.sh': ('train.py', 1, -2),
    'slurm_test.sh': ('test.py', 2, -2),
}


class ToolCall(NamedTuple):
    """A Python tool of ours and its words."""

    tool: str  # its file's name in tools/, or a path from the repository's root
    words: tuple[str, ...]


def tool_call(command):
    """Return the :class:`ToolCall` that a command comes to; None for other programs."""
    words = command.words
    if words[:1] == ('mim',):
        return mim_call(words[1:])
    for i, word in enumerate(words):
        folder, _, name = word.rpartition('/')
        if folder == 'tools' and name in SCRIPTS:
            return script_call(name, words[i + 1 :])
        if name.endswith('.py') and folder.startswith(('tools', 'projects/')):
            assert i == 0 or words[0] in ('python', 'torchrun'), command
            return ToolCall(name if folder == 'tools' else word, words[i + 1 :])
    return None


def mim_call(words):
    """Translate ``mim train``, ``test`` and ``run`` of this package, as mim does."""
    if words[0] == 'search':
        return None
    kind, package, config, *rest = words
    assert package == 'sctnet', words
    if kind == 'run':
        return ToolCall(f'{config}.py', tuple(rest))
    assert kind in ('train', 'test'), words
    if kind == 'train':
        return ToolCall('train.py', (config, *rest))
    at = rest.index('--checkpoint')
    checkpoint = rest[at + 1]
    return ToolCall('test.py', (config, checkpoint, *rest[:at], *rest[at + 2 :]))


def script_call(name, words):
    """Leave out the number of GPUs, or partition and job name."""
    tool, kept, others = SCRIPTS[name]
    assert len(words) >= kept + abs(others), f'{name} wants more arguments: {words}'
    if others < 0:
        return ToolCall(tool, words[-others:])
    return ToolCall(tool, (*words[:kept], *words[kept + others :]))


class Parsed(Exception):  # noqa: N818  not an error
    """Carries what a parser made of the words, past the rest of the tool."""


def path_of(tool):
    """Return the file of a :class:`ToolCall`'s tool.

    Raises:
        AssertionError: there is none.
    """
    path = REPOSITORY / tool if '/' in tool else TOOLS / tool
    assert path.is_file(), f'there is no {path}'
    return path


def parse(call):
    """Let the tool's own parser read the words; return its namespace.

    Raises:
        SystemExit: the parser refuses them, after its message on stderr.
    """
    path = path_of(call.tool)
    real = argparse.ArgumentParser.parse_args

    def stop(self, *_, **__):
        raise Parsed(real(self, list(call.words)))

    argparse.ArgumentParser.parse_args = stop
    sys.path.insert(0, str(path.parent))
    try:
        runpy.run_path(str(path), run_name='documented')['main']()
    except Parsed as parsed:
        return parsed.args[0]
    finally:
        sys.path.remove(str(path.parent))
        argparse.ArgumentParser.parse_args = real
    raise AssertionError(f'{call.tool} never parsed its arguments')


def check(command, own=False):
    """Fail unless every flag, config and key of a command exists.

    Args:
        command: as a page has it.
        own: whether the page lets the reader write a config ``my_*.py``, which nobody
            has here.

    Returns:
        Whether it is a command of ours at all.
    """
    if command.words[:1] == ('make',):
        makefile = (REPOSITORY / 'Makefile').read_text()
        for target in command.words[1:]:
            assert f'\n{target}:' in makefile, f'make has no target {target}'
        return True
    call = tool_call(command)
    if call is None:
        return command.words[:2] == ('mim', 'search')
    arguments = parse(call)
    config = getattr(arguments, 'config', None)
    theirs = '/' in call.tool  # a project finds its configs by a way of its own
    elsewhere = (own and str(config).startswith('my_')) or theirs
    if config is not None and config not in PLACEHOLDERS and not elsewhere:
        options = getattr(arguments, 'cfg_options', None) or {}
        check_options(load_config(config), options)
    return True
