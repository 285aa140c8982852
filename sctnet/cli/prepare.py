"""Unpack a published data set and make the label maps that its config reads.

Example:
  sctnet prepare cityscapes leftImg8bit_trainvaltest.zip gtFine_trainvaltest.zip
"""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`prepare` takes."""
    from ..datasets.prepare.published import DATASETS

    parser.epilog = '\n'.join(
        (module.__doc__ or '').splitlines()[0] for module in DATASETS.values()
    )
    add = parser.add_argument
    add('dataset', choices=DATASETS)
    add('archives', nargs='+', type=Path, metavar='ARCHIVE', help='as published')
    add('--out', type=Path, default=Path('data'), help='the folder of all data sets')
    add('--workers', type=int, help='threads (default: one a core; 0: none)')


def prepare(
    dataset: str,
    archives: list[Path],
    out: Path = Path('data'),
    *,
    workers: int | None = None,
) -> int:
    """Prepare everything; 1 if members of an archive are damaged."""
    from ..datasets.convert.summary import report_failed
    from ..datasets.prepare import prepare_dataset
    from .progress import progress_bar

    with progress_bar('Preparing') as advance:
        result = prepare_dataset.prepare(
            dataset, archives, out, workers=workers, progress=advance
        )
    for line in report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f'{result.written} files written, {result.kept} were there, '
        f"{len(result.failed)} are broken; the data root is '{result.root}'"
    )
    return 1 if result.failed else 0
