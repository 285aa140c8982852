"""Draw the curves of one training or several: losses, learning rate, validation.

Example:
  sctnet plot work_dirs/student work_dirs/teacher --out curves.png
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`plot` takes."""
    add = parser.add_argument
    add('work_dirs', nargs='+', type=Path, help='folders of trainings')
    add(
        '--out',
        type=Path,
        help='picture, .png, .svg or .pdf (default: curves.png in the first folder)',
    )
    add(
        '--terms',
        nargs='+',
        metavar='TERM',
        help="names in the log, such as mIoU 'siam.*' time",
    )
    add(
        '--smooth',
        type=float,
        default=0.0,
        metavar='WEIGHT',
        help='of what came before, such as 0.9; the values themselves are then faint',
    )


def plot(
    work_dirs: Sequence[Path],
    *,
    out: Path | None = None,
    terms: Sequence[str] | None = None,
    smooth: float = 0.0,
) -> None:
    """Draw, by default losses, learning rate and the metrics of validation."""
    from ..evaluation.training_curves import TERMS, draw_curves, name_runs

    out = out or Path(work_dirs[0]) / 'curves.png'
    draw_curves(name_runs(work_dirs), out, terms or TERMS, smooth)
    print(f"the curves are in '{out}'")
