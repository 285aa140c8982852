"""What the projects share that train over several seeds and write a table.

A training that is finished is not done again, so that a project that was interrupted
goes on where it stopped.
"""

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sctnet.evaluation.training_curves import read_scalars


def run(*words: object) -> None:
    """Print a command of sctnet and run it; raises where it fails."""
    command = [sys.executable, '-m', 'sctnet', *map(str, words)]
    print(f'\n$ sctnet {" ".join(command[3:])}', flush=True)
    subprocess.run(command, check=True)


def length(iterations: int) -> list[str]:
    """Options for a training of ``iterations`` with one validation, at its end."""
    return [
        f'train_cfg.max_iters={iterations}',
        f'train_cfg.val_interval={iterations}',
        f'default_hooks.checkpoint.interval={iterations}',
    ]


def train(
    config: str | Path, folder: Path, data: Path, options: list[str], *more: object
) -> float:
    """Train ``config`` in ``folder`` unless it was; return its last mIoU in percent."""
    if not list(folder.glob('best_*.pth')):
        places = ('--work-dir', folder, '--data-root', data)
        run('train', config, *places, *more, '--cfg-options', *options)
    return read_scalars(folder)['mIoU'][-1][1]


def table(first: str, results: Mapping[str, Sequence[float]]) -> str:
    """Return a markdown table of mean, spread and every seed; ``first`` heads it."""
    lines = [
        f'| {first} | mean mIoU | standard deviation | each seed |',
        '|---|---|---|---|',
    ]
    for name, values in results.items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ', '.join(f'{value:.2f}' for value in values)
        lines.append(
            f'| {name} | {statistics.mean(values):.2f} | {spread:.2f} | {each} |'
        )
    return '\n'.join([*lines, ''])
