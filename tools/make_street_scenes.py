"""Write a small data set of synthetic street scenes in Cityscapes' layout."""

import argparse
import shlex

from sctnet.cli.progress import progress_bar
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.launch import run_tool


def parse_size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT to (width, height) in pixels."""
    width, _, height = text.lower().partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not WIDTHxHEIGHT: pass e.g. 1024x512'
        )
    return int(width), int(height)


def main() -> None:
    """Parse the command line and write the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out_dir', help='new or empty folder, becomes the data root')
    parser.add_argument('--train', type=int, default=16, help='training scenes')
    parser.add_argument('--val', type=int, default=8, help='validation scenes')
    parser.add_argument(
        '--size', type=parse_size, default=(1024, 512), help='WIDTHxHEIGHT in pixels'
    )
    parser.add_argument('--seed', type=int, default=0, help='other seed, other scenes')
    args = parser.parse_args()
    with progress_bar('Drawing') as advance:
        root = write_street_scenes(
            args.out_dir, args.train, args.val, args.size, args.seed, advance
        )
    print(
        f'{args.train} training and {args.val} validation scenes are in {root}\n'
        f'To train or test on them, add: --data-root {shlex.quote(str(root))}'
    )


if __name__ == '__main__':
    run_tool(main)
