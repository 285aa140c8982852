"""Train the same small student with the ordinary loader and with the faster one.

Finished runs are kept, so that a run that was interrupted goes on where it stopped.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from over_seeds import length, run, table, train  # noqa: E402

from sctnet.cli.print_errors import run_command  # noqa: E402
from sctnet.files import write_bytes  # noqa: E402

STUDENT = 'sctnet-t-streets'
LOADERS = ('ordinary', 'store and crop')


def options(iterations: int, seed: int, store: Path | None) -> list[str]:
    """A training without a teacher, validated at its end."""
    words = [
        'model.siam=None',
        'custom_hooks=[]',
        f'randomness.seed={seed}',
        *length(iterations),
    ]
    if store is not None:
        words += [f'faster_loader.store={store}', 'faster_loader.crop_first=True']
    return words


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
            changes = options(args.iterations, seed, kept)
            found[name].append(train(STUDENT, folder, data, changes))
            print(f'{name}, seed {seed}: {found[name][-1]:.2f} mIoU', flush=True)
    results = {'iterations': args.iterations, 'mIoU': found}
    write_bytes(args.out / 'results.json', json.dumps(results, indent=1).encode())
    text = table('loader', found)
    write_bytes(args.out / 'results.md', text.encode())
    print(text)


if __name__ == '__main__':
    run_command(main)
