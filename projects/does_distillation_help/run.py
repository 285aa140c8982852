"""Train the same small student with no alignment, BFA, SDHA and both, over seeds.

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
TEACHER, STUDENT = 'segformer-t-streets', 'sctnet-t-streets'
VARIANTS = {
    'none': ['model.siam=None'],
    'BFA': ['model.siam.sdha=None'],
    'SDHA': ['model.siam.bfa=None'],
    'both': [],
}


def length(iterations: int) -> list[str]:
    """Options for a training of ``iterations`` with one validation, at its end."""
    return [
        f'train_cfg.max_iters={iterations}',
        f'train_cfg.val_interval={iterations}',
        f'default_hooks.checkpoint.interval={iterations}',
    ]


def train(
    config: str, folder: Path, data: Path, options: list[str], *more: str
) -> None:
    """Train ``config`` in ``folder`` unless it was."""
    if list(folder.glob('best_*.pth')):
        return
    command = [*SCTNET, 'train', config, '--work-dir', folder]
    command += ['--data-root', data, *more, '--cfg-options', *options]
    words = [str(word) for word in command]
    print(f'\n$ {" ".join(words)}', flush=True)
    subprocess.run(words, check=True)


def miou(folder: Path) -> float:
    """Last mIoU that a training in ``folder`` logged, in percent."""
    return read_scalars(folder)['mIoU'][-1][1]


def draw(results: dict, path: Path) -> None:
    """One dot a seed, a bar at the mean, a line at the teacher."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), layout='constrained')
    for place, values in enumerate(results['students'].values()):
        mean = statistics.mean(values)
        axes.plot([place] * len(values), values, 'o', color='tab:blue', alpha=0.7)
        axes.hlines(mean, place - 0.25, place + 0.25, color='tab:blue')
        axes.annotate(f'{mean:.1f}', (place + 0.28, mean), va='center')
    axes.axhline(results['teacher'], color='tab:orange', linestyle='--')
    axes.annotate('teacher', (-0.4, results['teacher']), va='bottom')
    axes.set_xticks(range(len(VARIANTS)), list(VARIANTS))
    axes.set_xlim(-0.5, len(VARIANTS) - 0.4)
    axes.set_ylabel('mIoU on street scenes')
    axes.set_title(f'SCTNet-T after {results["student_iterations"]} iterations')
    figure.savefig(path, dpi=150)


def table(results: dict) -> str:
    """A markdown table of mean, spread and every seed."""
    lines = [
        '| alignment | mean mIoU | standard deviation | each seed |',
        '|---|---|---|---|',
    ]
    for name, values in results['students'].items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ', '.join(f'{value:.2f}' for value in values)
        lines.append(
            f'| {name} | {statistics.mean(values):.2f} | {spread:.2f} | {each} |'
        )
    return '\n'.join([*lines, '', f'Teacher: {results["teacher"]:.2f} mIoU.', ''])


def main() -> None:
    """Run what is not there yet, then write results.json, results.md, results.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('does_distillation_help'))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--teacher-iterations', type=int, default=3000)
    parser.add_argument('--student-iterations', type=int, default=600)
    args = parser.parse_args()
    data = args.work_dir / 'street_scenes'
    if not data.exists():
        command = [*SCTNET, 'scenes', data]
        command += ['--train', 160, '--val', 40, '--size', '512x256', '--seed', 7]
        subprocess.run([str(word) for word in command], check=True)
    teacher = args.work_dir / 'teacher'
    options = [*length(args.teacher_iterations), 'randomness.seed=0']
    train(TEACHER, teacher, data, options)
    students: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for seed in range(args.seeds):
        for name, ablation in VARIANTS.items():
            folder = args.work_dir / f'{name}_{args.student_iterations}_{seed}'
            options = [*length(args.student_iterations), f'randomness.seed={seed}']
            train(STUDENT, folder, data, options + ablation, '--teacher', str(teacher))
            students[name].append(miou(folder))
            print(f'{name}, seed {seed}: {students[name][-1]:.2f} mIoU', flush=True)
    results = {
        'teacher': miou(teacher),
        'teacher_iterations': args.teacher_iterations,
        'student_iterations': args.student_iterations,
        'students': students,
    }
    write_bytes(HERE / 'results.json', json.dumps(results, indent=1).encode())
    write_bytes(HERE / 'results.md', table(results).encode())
    draw(results, HERE / 'results.png')
    print(table(results))


if __name__ == '__main__':
    run_command(main)
