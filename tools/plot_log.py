"""Draw the curves of one training or several: losses, learning rate, validation."""

import argparse
from pathlib import Path

from sctnet.engine.launch import run_tool
from sctnet.evaluation.training_curves import TERMS, draw_curves, name_runs


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
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
        default=TERMS,
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
    args = parser.parse_args()
    out = args.out or args.work_dirs[0] / 'curves.png'
    draw_curves(name_runs(args.work_dirs), out, args.terms, args.smooth)
    print(f"the curves are in '{out}'")


if __name__ == '__main__':
    run_tool(main)
