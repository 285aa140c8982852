"""Fine-tune a street student on 48 scenes with other classes, against from scratch.

The student knows 160 scenes with 19 classes. The 48 are of another seed and carry
Cityscapes' 7 categories. Finished runs are kept, so that a run that was interrupted
goes on where it stopped.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from over_seeds import length, run, table, train  # noqa: E402

from sctnet.cli.print_errors import run_command  # noqa: E402
from sctnet.files import write_bytes  # noqa: E402

SOURCE, TARGET = 'sctnet-t-streets', HERE / 'configs' / 'seven_categories.py'
# Of each of Cityscapes' 19 train ids, its category: 0 flat, 1 construction, 2 object,
# 3 nature, 4 sky, 5 human, 6 vehicle.
CATEGORY = [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6]
IGNORED = 255
RECIPE_RATE = 1e-3
VARIANTS = {
    'from scratch': (False, RECIPE_RATE),
    'fine-tuned': (True, RECIPE_RATE),
    'fine-tuned, a fifth of the rate': (True, RECIPE_RATE / 5),
}


def write_scenes(folder: Path, train: int, val: int, seed: int) -> Path:
    """Draw street scenes of 512x256 in ``folder`` unless they are there."""
    if not (folder / 'street_scenes.json').exists():  # which is written last
        sizes = ['--train', train, '--val', val, '--size', '512x256', '--seed', seed]
        run('scenes', folder, *sizes)
    return folder


def write_categories(folder: Path) -> None:
    """Write beside each label map of train ids one of the seven categories."""
    table = np.full(256, IGNORED, np.uint8)
    table[: len(CATEGORY)] = CATEGORY
    for path in sorted(folder.rglob('*_labelTrainIds.png')):
        labels = table[cv2.imread(str(path), cv2.IMREAD_UNCHANGED)]
        ends = path.name.replace('labelTrainIds', 'categories')
        write_bytes(path.with_name(ends), cv2.imencode('.png', labels)[1].tobytes())


def main() -> None:
    """Run what is not there yet, then write results.json and results.md to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/fine_tuning'))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--source-iterations', type=int, default=600)
    parser.add_argument('--iterations', type=int, default=200)
    args = parser.parse_args()
    old = write_scenes(args.out / 'scenes_19_classes', 160, 8, seed=7)
    new = write_scenes(args.out / 'scenes_7_categories', 48, 40, seed=2024)
    write_categories(new)
    source = args.out / f'source_{args.source_iterations}'
    alone = [*length(args.source_iterations), 'model.siam=None', 'randomness.seed=0']
    known = train(SOURCE, source, old, alone)
    found: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for seed in range(args.seeds):
        for name, (tuned, rate) in VARIANTS.items():
            folder = args.out / f'{"tuned" if tuned else "scratch"}_{rate}_{seed}'
            start = ['--from', source] if tuned else []
            options = [f'randomness.seed={seed}', f'optim_wrapper.optimizer.lr={rate}']
            options += length(args.iterations)
            folder = folder / str(args.iterations)
            found[name].append(train(TARGET, folder, new, options, *start))
            print(f'{name}, seed {seed}: {found[name][-1]:.2f} mIoU', flush=True)
    results = {
        'source_iterations': args.source_iterations,
        'iterations': args.iterations,
        'source_mIoU_19_classes': known,
        'mIoU': found,
    }
    write_bytes(args.out / 'results.json', json.dumps(results, indent=1).encode())
    text = table('start', found)
    write_bytes(args.out / 'results.md', text.encode())
    print(text)


if __name__ == '__main__':
    run_command(main)
