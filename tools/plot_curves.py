"""Draw the curves of one training or several: losses, alignment, mIoU."""

import argparse
from pathlib import Path

from sctnet.figures import draw_curves
from sctnet.launch import run_tool


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='folders of trainings')
    parser.add_argument('--out', type=Path, default=Path('curves.png'))
    args = parser.parse_args()
    names = [folder.resolve().name for folder in args.work_dirs]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in args.work_dirs]
    draw_curves(dict(zip(names, args.work_dirs, strict=True)), args.out)
    print(f"the curves are in '{args.out}'")


if __name__ == '__main__':
    run_tool(main)
