"""Convert a data set of another format to images and label maps.

Example:
  sctnet convert labelme drawings my_data --val 0.2 --rename car=vehicle,bus=vehicle
"""

import argparse
import shlex
import sys
from inspect import signature
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`convert` takes: each format has options of its own."""
    from ..datasets.convert.formats import FORMATS
    from ..datasets.convert.options import add_general, add_own

    formats = parser.add_subparsers(dest='format_name', required=True, metavar='FORMAT')
    for name, module in FORMATS.items():
        text = (module.__doc__ or '').strip()
        sub = formats.add_parser(
            name,
            help=text.splitlines()[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add = sub.add_argument
        add('source', type=Path, help=module.SOURCE)
        add('out', type=Path, help='new folder')
        add_own(sub, module.read)
        own = 'classes' in signature(module.read).parameters
        add_general(sub, '--keep', *(() if own else ('--classes',)))
        add('--link', action='store_true', help='to images, instead of copying them')
        add('--workers', type=int, help='threads (default: one a core; 0: none)')


def convert(format_name: str, source: Path, out: Path, **options: Any) -> int:
    """Convert everything; 1 if images had to be skipped because they are broken.

    ``options`` are those of :func:`sctnet.datasets.convert.convert`.
    """
    from ..datasets import convert as room
    from ..datasets.convert import summary
    from .progress import progress_bar

    with progress_bar('Converting') as advance:
        result = room.convert(format_name, source, out, **options, progress=advance)
    for line in summary.report_left_out(result):
        print(line)
    for line in summary.report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f"{summary.counted(result)} images are in '{result.root}', "
        f'{len(result.failed)} broken ones are not. Go on with\n'
        f'  {shlex.join(["sctnet", "new", str(result.root)])}'
    )
    return 1 if result.failed else 0
