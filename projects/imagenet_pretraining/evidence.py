"""Train a small student from scratch and from a pre-trained backbone, over seeds.

Both are trained on the same street scenes, as long, without a teacher. The backbone was
pre-trained on crops of other scenes. Finished runs are kept, so that a run that was
interrupted goes on where it stopped.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path

from sctnet.cli.print_errors import run_command
from sctnet.evaluation.training_curves import read_scalars
from sctnet.files import write_bytes

HERE = Path(__file__).resolve().parent
SCTNET = ('-m', 'sctnet')
CLASSIFIER = 'sctnet_t_1xb32_600_street_crops_64x64'
STUDENT = 'sctnet-t-streets'


def start(*words: object) -> None:
    """Run one of the scripts on one core."""
    text = [str(word) for word in words]
    print(f'\n$ python {" ".join(text)}', flush=True)
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    subprocess.run([sys.executable, *text], check=True, env=environment)


def pretrain(folder: Path, args: argparse.Namespace) -> Path:
    """Return the file of a pre-trained backbone, made unless it is there."""
    crops, weights = folder / 'street_crops', folder / 'backbone.pth'
    if not crops.exists():
        scenes = ('--train', args.crop_scenes, '--val', 40, '--seed', 1000)
        start(HERE / 'make_street_crops.py', crops, *scenes)
    if not weights.exists():
        work = folder / 'pretraining'
        options = ('--cfg-options', 'randomness.seed=0')
        where = ('--data-root', crops, '--work-dir', work, '--epochs', args.epochs)
        start(HERE / 'train.py', CLASSIFIER, *where, '--resume', *options)
        last = (work / 'last_checkpoint').read_text()
        start(*SCTNET, 'weights', last, weights, '--backbone')
    return weights


def train(folder: Path, data: Path, seed: int, args: argparse.Namespace) -> Path:
    """Train a student in ``folder`` unless it was."""
    if list(folder.glob(f'iter_{args.iterations}.pth')):
        return folder
    options = [
        'model.siam=None',
        f'randomness.seed={seed}',
        f'train_cfg.max_iters={args.iterations}',
        f'train_cfg.val_interval={args.iterations // 3}',
        f'default_hooks.checkpoint.interval={args.iterations}',
    ]
    if folder.name.startswith('pretrained'):
        checkpoint = folder.parent / 'backbone.pth'
        options += [
            'model.backbone.init_cfg.type=Pretrained',
            f'model.backbone.init_cfg.checkpoint={checkpoint}',
        ]
    where = ('--work-dir', folder, '--data-root', data)
    start(*SCTNET, 'train', STUDENT, *where, '--cfg-options', *options)
    return folder


def draw(results: dict, path: Path) -> None:
    """One line a seed: mIoU over iterations, two colours."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout='constrained')
    for colour, (name, runs) in zip(
        ('tab:blue', 'tab:orange'), results['students'].items(), strict=True
    ):
        for number, run in enumerate(runs):
            label = None if number else name
            axes.plot(*zip(*run, strict=True), 'o-', color=colour, label=label)
    axes.set_xlabel('iterations')
    axes.set_ylabel('mIoU on street scenes')
    axes.set_title('SCTNet-T without a teacher, one line a seed')
    axes.legend()
    figure.savefig(path, dpi=150)


def table(results: dict) -> str:
    """A markdown table of the last mIoU: mean, spread and every seed."""
    lines = [
        '| backbone starts from | mean mIoU | standard deviation | each seed |',
        '|---|---|---|---|',
    ]
    for name, runs in results['students'].items():
        values = [run[-1][1] for run in runs]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ', '.join(f'{value:.2f}' for value in values)
        mean = statistics.mean(values)
        lines.append(f'| {name} | {mean:.2f} | {spread:.2f} | {each} |')
    top1 = f'Top-1 of the pre-training: {results["top1"]:.1f} %. {results["date"]}.'
    return '\n'.join([*lines, '', top1, ''])


def main() -> None:
    """Run what is not there yet, then write results.json, results.md, results.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('does_pretraining_help'))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--crop-scenes', type=int, default=300)
    parser.add_argument('--epochs', type=int, default=20)
    parser.add_argument('--iterations', type=int, default=300)
    args = parser.parse_args()
    folder = args.work_dir.resolve()
    data = folder / 'street_scenes'
    if not data.exists():
        scenes = ('--train', 120, '--val', 40, '--size', '512x256', '--seed', 7)
        start(*SCTNET, 'scenes', data, *scenes)
    pretrain(folder, args)
    students: dict[str, list] = {'random weights': [], 'pre-trained weights': []}
    for seed in range(args.seeds):
        for name, short in zip(students, ('scratch', 'pretrained'), strict=True):
            work = train(folder / f'{short}_{args.iterations}_{seed}', data, seed, args)
            points = read_scalars(work)['mIoU']
            students[name].append([(step, round(miou, 2)) for step, miou in points])
    results = {
        'date': date.today().isoformat(),
        'crop_scenes': args.crop_scenes,
        'pretraining_epochs': args.epochs,
        'student_iterations': args.iterations,
        'top1': round(read_scalars(folder / 'pretraining')['accuracy/top1'][-1][1], 1),
        'students': students,
    }
    write_bytes(HERE / 'results.json', json.dumps(results, indent=1).encode())
    write_bytes(HERE / 'results.md', table(results).encode())
    draw(results, HERE / 'results.png')
    print(table(results))


if __name__ == '__main__':
    run_command(main)
