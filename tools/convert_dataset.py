"""Convert a data set of another format to images and label maps for own_data."""

import argparse
import sys
from pathlib import Path

from sctnet.cli.progress import progress_bar
from sctnet.datasets.convert import convert
from sctnet.datasets.convert.formats import FORMATS
from sctnet.datasets.convert.summary import (
    own_data_lines,
    report_empty,
    report_failed,
    report_skipped,
)
from sctnet.engine.launch import run_tool


def parse_args() -> argparse.Namespace:
    """Parse the command line: each format has options of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
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
        add('out', type=Path, help='new folder, becomes own_data.root')
        add('--val', type=float, default=0.1, help='share, if the source has no split')
        add('--link', action='store_true', help='to images, instead of copying them')
        add('--workers', type=int, help='threads (default: one a core; 0: none)')

        module.add_arguments(sub)
    return parser.parse_args()


def main() -> int:
    """Convert everything; 1 if images had to be skipped because they are broken."""
    args = parse_args()
    with progress_bar('Converting') as advance:
        result = convert(**vars(args), progress=advance)
    noted = report_skipped(result.skipped, result.examples)
    for line in [*noted, *report_empty(result.empty)]:
        print(line)
    for line in report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f'{result.images["train"]} training and {result.images["val"]} validation '
        f"images are in '{result.root}', {len(result.failed)} broken ones are not. In "
        f'a config:\n\n{own_data_lines(result)}'
    )
    return 1 if result.failed else 0


if __name__ == '__main__':
    run_tool(main)
