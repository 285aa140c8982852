"""Train the same small student with no alignment, BFA, SDHA and both, over seeds.

Finished runs are kept, so that a run that was interrupted goes on where it stopped.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from over_seeds import length, run, table, train  # noqa: E402

from sctnet.cli.print_errors import run_command  # noqa: E402
from sctnet.files import write_bytes  # noqa: E402

TEACHER, STUDENT = 'segformer-t-streets', 'sctnet-t-streets'
VARIANTS = {
    'none': ['model.siam=None'],
    'BFA': ['model.siam.sdha=None'],
    'SDHA': ['model.siam.bfa=None'],
    'both': [],
}


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
        size = ('--train', 160, '--val', 40, '--size', '512x256')
        run('scenes', data, *size, '--seed', 7)
    teacher = args.work_dir / 'teacher'
    options = [*length(args.teacher_iterations), 'randomness.seed=0']
    teachers = train(TEACHER, teacher, data, options)
    students: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for seed in range(args.seeds):
        for name, ablation in VARIANTS.items():
            folder = args.work_dir / f'{name}_{args.student_iterations}_{seed}'
            options = [*length(args.student_iterations), f'randomness.seed={seed}']
            changes = options + ablation
            found = train(STUDENT, folder, data, changes, '--teacher', teacher)
            students[name].append(found)
            print(f'{name}, seed {seed}: {students[name][-1]:.2f} mIoU', flush=True)
    results = {
        'teacher': teachers,
        'teacher_iterations': args.teacher_iterations,
        'student_iterations': args.student_iterations,
        'students': students,
    }
    write_bytes(HERE / 'results.json', json.dumps(results, indent=1).encode())
    text = table('alignment', students) + f'\nTeacher: {teachers:.2f} mIoU.\n'
    write_bytes(HERE / 'results.md', text.encode())
    draw(results, HERE / 'results.png')
    print(text)


if __name__ == '__main__':
    run_command(main)
