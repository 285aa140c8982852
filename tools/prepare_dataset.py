"""Unpack a published data set and make the label maps that its config reads."""

import argparse
import sys
from pathlib import Path

from sctnet.cli.progress import progress_bar
from sctnet.datasets.convert.summary import report_failed
from sctnet.datasets.prepare.prepare_dataset import prepare
from sctnet.datasets.prepare.published import DATASETS
from sctnet.engine.launch import run_tool


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    lines = [(module.__doc__ or '').splitlines()[0] for module in DATASETS.values()]
    parser = argparse.ArgumentParser(
        description='\n'.join([__doc__, '', *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add('dataset', choices=DATASETS)
    add('archives', nargs='+', type=Path, metavar='ARCHIVE', help='as published')
    add('--out', type=Path, default=Path('data'), help='the folder of all data sets')
    add('--workers', type=int, help='threads (default: one a core; 0: none)')
    return parser.parse_args()


def main() -> int:
    """Prepare everything; 1 if members of an archive are damaged."""
    args = parse_args()
    with progress_bar('Preparing') as advance:
        result = prepare(**vars(args), progress=advance)
    for line in report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f'{result.written} files written, {result.kept} were there, '
        f"{len(result.failed)} are broken; the data root is '{result.root}'"
    )
    return 1 if result.failed else 0


if __name__ == '__main__':
    run_tool(main)
