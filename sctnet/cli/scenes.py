"""Write a small data set of synthetic street scenes in Cityscapes' layout.

Example:
  sctnet scenes street_scenes --train 48 --val 16 --size 512x256
"""

import argparse
import shlex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`scenes` takes."""
    add = parser.add_argument
    add('out_dir', help='new or empty folder, becomes the data root')
    add('--train', type=int, default=16, help='training scenes')
    add('--val', type=int, default=8, help='validation scenes')
    add('--size', type=_size, default=(1024, 512), help='WIDTHxHEIGHT in pixels')
    add('--seed', type=int, default=0, help='other seed, other scenes')


def scenes(
    out_dir: str,
    train: int = 16,
    val: int = 8,
    size: tuple[int, int] = (1024, 512),
    seed: int = 0,
) -> None:
    """Draw; ``size`` is (width, height) in pixels."""
    from ..datasets.street_scenes import write_street_scenes
    from .progress import progress_bar

    with progress_bar('Drawing') as advance:
        root = write_street_scenes(out_dir, train, val, size, seed, advance)
    print(
        f'{train} training and {val} validation scenes are in {root}\n'
        f'To train or test on them, add: --data-root {shlex.quote(str(root))}'
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition('x')
    if not (width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(
            f'{text!r} is not WIDTHxHEIGHT: pass e.g. 1024x512'
        )
    return int(width), int(height)
