"""Train the same small student with the ordinary loader and with the faster one.

Finished runs are kept, so that a run that was interrupted goes on where it stopped.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from sctnet.cli.print_errors import run_command
from sctnet.evaluation.training_curves import read_scalars
from sctnet.files import write_bytes

HERE = Path(__file__).resolve().parent
SCTNET = (sys.executable, '-m', 'sctnet')
STUDENT = 'sctnet-t-streets'
LOADERS = ('ordinary', 'store and crop')


def run(*words: object) -> None:
    """Run a command of sctnet's; its failure is ours."""
    command = [*SCTNET, *map(str, words)]
    print(f'\n$ {" ".join(command)}', flush=True)
    subprocess.run(command, check=True)


def options(iterations: int, seed: int, store: Path | None) -> list[str]:
    """A training without a teacher, validated at its end."""
    words = [
        'model.siam=None',
        'custom_hooks=[]',
        f'randomness.seed={seed}',
        f'train_cfg.max_iters={iterations}',
        f'train_cfg.val_interval={iterations}',
        f'default_hooks.checkpoint.interval={iterations}',
    ]
    if store is not None:
        words += [f'faster_loader.store={store}', 'faster_loader.crop_first=True']
    return words


def miou(folder: Path) -> float:
    """Last mIoU that a training in ``folder`` logged, in percent."""
    return read_scalars(folder)['mIoU'][-1][1]


def table(results: dict) -> str:
    """A markdown table of mean, spread and every seed."""
    lines = [
        '| loader | mean mIoU | standard deviation | each seed |',
        '|---|---|---|---|',
    ]
    for name, values in results['mIoU'].items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ', '.join(f'{value:.2f}' for value in values)
        lines.append(
            f'| {name} | {statistics.mean(values):.2f} | {spread:.2f} | {each} |'
        )
    return '\n'.join([*lines, ''])


def main() -> None:
    """Run what is not there yet, then write results.json and results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('faster_loader'))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--iterations', type=int, default=600)
    parser.add_argument('--images', type=int, default=160, help='to train on')
    parser.add_argument('--out', type=Path, default=HERE, help='folder of the results')
    args = parser.parse_args()
    data, store = args.work_dir / 'street_scenes', args.work_dir / 'store'
    if not data.exists():
        size = ('--train', args.images, '--val', max(2, args.images // 4))
        run('scenes', data, *size, '--size', '512x256', '--seed', 7)
    run('prepare', 'store', STUDENT, '--data-root', data, '--out', store)
    found: dict[str, list[float]] = {name: [] for name in LOADERS}
    for seed in range(args.seeds):
        for name, kept in zip(LOADERS, (None, store), strict=True):
            words = f'{name.replace(" ", "_")}_{args.iterations}_{seed}'
            folder = args.work_dir / words
            if not list(folder.glob('best_*.pth')):
                changes = options(args.iterations, seed, kept)
                where = ('--work-dir', folder, '--data-root', data)
                run('train', STUDENT, *where, '--cfg-options', *changes)
            found[name].append(miou(folder))
            print(f'{name}, seed {seed}: {found[name][-1]:.2f} mIoU', flush=True)
    results = {'iterations': args.iterations, 'mIoU': found}
    write_bytes(args.out / 'results.json', json.dumps(results, indent=1).encode())
    write_bytes(args.out / 'results.md', table(results).encode())
    print(table(results))


if __name__ == '__main__':
    run_command(main)
