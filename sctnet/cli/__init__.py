"""The command ``sctnet``: a table of commands, and one module for each.

``sctnet/cli/NAME.py`` holds a docstring, which is the command's help;
``add_arguments``; and a function ``NAME`` that takes what these arguments set, from
Python too. It imports inside the function what is slow to import: help needs no torch.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from functools import partial
from types import ModuleType

from .. import __version__
from .print_errors import run_command

COMMANDS = {
    'train': 'train a config',
    'test': 'measure a checkpoint on a data set',
    'infer': 'segment images, a video or a camera',
    'export': 'write a checkpoint as ONNX, OpenVINO IR or a TensorRT engine',
    'check': 'read a whole data set and say what would go wrong',
    'convert': "make a data set from another tool's annotations",
    'fit': 'from a folder or an export to a trained and exported model',
    'new': 'look at a folder or an export, and write two configs to train on it',
    'prepare': 'unpack a published data set, or keep any decoded for trainings',
    'benchmark': 'measure how fast networks are',
    'plot': 'draw the curves of trainings',
    'weights': 'write any weight file as a clean one of the student',
    'scenes': 'make a small data set of synthetic street scenes',
    'demo': 'teach a small SCTNet in six minutes, on any computer',
    'env': 'say which versions are installed, for a bug report',
}


def main(words: Sequence[str] | None = None) -> None:
    """Run a command line, the process's own by default, and exit with its status."""
    run_command(lambda: _call(sys.argv[1:] if words is None else words))


def build_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command in :data:`COMMANDS`."""
    module = _module(command)
    parser = argparse.ArgumentParser(
        prog=f'sctnet {command}',
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser


def _call(words: Sequence[str]) -> int | None:
    listed = '\n'.join(f'  {name:<11}{text}' for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog='sctnet',
        usage='sctnet COMMAND ...',
        description='SCTNet: real-time semantic segmentation taught by a transformer.',
        epilog=f'commands:\n{listed}\n\nsctnet COMMAND --help says more about each',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'sctnet {__version__}')
    add = partial(parser.add_argument, help=argparse.SUPPRESS)
    add('command', choices=COMMANDS, metavar='COMMAND')
    add('words', nargs=argparse.REMAINDER)
    if not words:
        parser.print_help()
        return 2
    args = parser.parse_args(words)
    arguments = build_parser(args.command).parse_args(args.words)
    return getattr(_module(args.command), args.command)(**vars(arguments))


def _module(command: str) -> ModuleType:
    return importlib.import_module(f'{__name__}.{command}')
