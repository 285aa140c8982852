"""Write a small data set for classification: crops of synthetic street scenes."""

import argparse
from pathlib import Path

from sctnet.cli.print_errors import run_command


def main() -> None:
    """Write the crops."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out_dir', type=Path, help='data root to make')
    parser.add_argument('--train', type=int, default=200, help='scenes to crop from')
    parser.add_argument('--val', type=int, default=40)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    from sctnet_pretraining.street_crops import write_street_crops

    counts = {'train': args.train, 'val': args.val}
    print(write_street_crops(args.out_dir, counts, args.seed))


if __name__ == '__main__':
    run_command(main)
