"""Convert a data set of another format to images and label maps.

Example:
  sctnet convert labelme drawings my_data --val 0.2
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`convert` takes: each format has options of its own."""
    from ..datasets.convert.formats import FORMATS

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
        add('--val', type=float, default=0.1, help='share, if the source has no split')
        add('--test', type=float, default=0.0, help='share, likewise')
        add('--group', metavar='REGEX', help='names that agree in it stay together')
        add('--lists', type=Path, help='folder of train.txt, val.txt, ..., or a JSON')
        add('--link', action='store_true', help='to images, instead of copying them')
        add('--workers', type=int, help='threads (default: one a core; 0: none)')

        module.add_arguments(sub)


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
