"""From a folder or an export to a trained, tested and exported model, in one command.

It writes the configs, checks the data, trains a teacher and its student, tests, writes
a report and model.onnx, and segments some images. What it runs is printed as commands.
Run again it goes on where it stopped; what is finished is left alone.

Examples:
  sctnet fit photos --out rooms --minutes 60
  sctnet fit export.json --student t --minutes 1
"""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, OutputError
from . import new as new_command
from .begun import Begun
from .trainings import Trainings, run, write

ROOM = 2 << 30  # bytes that two trainings and their checkpoints may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`fit` takes."""
    new_command.add_arguments(parser)
    add = parser.add_argument
    add('--minutes', type=float, help='for both trainings together')
    add('--from', dest='start', metavar='FILE', help='start the student from it')
    add('--no-export', dest='export', action='store_false', help='no model.onnx')
    add('--amp', action='store_true', help='mixed precision')


def fit(
    data: Path,
    out: Path | None = None,
    *,
    minutes: float | None = None,
    teacher: bool = True,
    start: str | None = None,
    export: bool = True,
    amp: bool = False,
    **options: Any,
) -> None:
    """Run all stages that are not done yet.

    Args:
        data: a folder or an annotation file.
        out: folder for everything.
        minutes: of both trainings together, on this machine; some iterations are timed
            and the number is written into the configs before they start.
        teacher: train one first.
        start: weights that the student starts from.
        export: write ``model.onnx``.
        amp: train in mixed precision.
        **options: of :func:`.new.new`.

    Raises:
        ArgumentError: an option is out of range, or what the export needs is missing.
        OutputError: ``out`` has no room.
    """
    out = out or new_command.default_folder(data)
    chosen = {**options, 'minutes': minutes, 'teacher': teacher, 'start': start}
    _check(out, minutes, export, start, options)
    begun = Begun(out, data, words_of(chosen))
    begun.check()
    if not begun.is_made():
        words = words_of({**options, 'teacher': teacher})
        run('new', data, '--out', out, *words, faults_allowed=True)
        if not begun.is_made():
            sys.exit(1)  # new has said why
    begun.remember()
    trainings = Trainings(out, amp)
    _check_data(out, options.get('background') or 'background')
    if minutes is not None:
        trainings.settle_length(minutes, teacher)
    if teacher:
        trainings.train('teacher')
    trainings.train('student', trainings.folder('teacher') if teacher else None, start)
    student, weights = out / 'student.py', trainings.folder('student')
    page, model, curves = (
        out / name for name in ('report/index.html', 'model.onnx', 'curves.png')
    )
    report = ('--report', page.parent, '--overwrite', '--work-dir', out / 'work/test')
    trainings.make(page, 'test', student, weights, *report)
    if export:
        trainings.make(model, 'export', student, weights, model)
    shown, comparison = out / 'work/shown', out / 'comparison.png'
    network = ('--config', student, '--checkpoint', weights)
    results = ('--out-dir', out / 'results')
    if trainings.make(shown, 'infer', _some_images(out), *network, *results):
        write(shown, 'the overlays in results are all there\n')
    names = ['teacher', 'student'] if teacher else ['student']
    trainings.make(curves, 'plot', *map(trainings.folder, names), '--out', curves)
    if not trainings.is_newer(comparison):
        trainings.compare(names, comparison)
    made = [path.relative_to(out).as_posix() for path in (page, comparison, curves)]
    made += ['model.onnx'] if model.is_file() else []
    miou = json.loads((page.parent / 'report.json').read_bytes())['mIoU'] or 0
    print(
        f"\nall is in '{out}': {', '.join(made)}, results, work/student, configs; the "
        f"student's mIoU is {miou:.1f} %"
    )
    _tell_broken(out)


def _check_data(out: Path, background: str) -> None:
    page, figures = out / 'check.html', out / 'work' / 'check.json'
    if page.is_file():
        return
    figures.unlink(missing_ok=True)
    figures.parent.mkdir(exist_ok=True)
    try:
        run('check', out / 'student.py', '--html', page, '--json', figures)
    except SystemExit:
        page.unlink(missing_ok=True)  # so that it is checked again
        if figures.is_file() and (out / 'data').is_dir():  # else used as it lies
            _tell_unseen(json.loads(figures.read_bytes()), background)
        raise


def _tell_unseen(figures: dict[str, Any], background: str) -> None:
    """Say which options leave out the classes that no training image shows."""
    kinds = {fault['kind'] for fault in figures['faults'] if fault['serious']}
    classes = figures['parts']['train']['classes']
    kept = [one['name'] for one in classes if one['pixels']]
    if kinds != {'class without a pixel'} or any(',' in name for name in kept):
        return
    words = ['--keep', ','.join(kept)]
    if background in {one['name'] for one in classes} - {*kept}:  # else kept always
        words = ['--rename', f'{background}=ignore', *words]
    print(
        f'to leave out what no training image shows, add {shlex.join(words)}',
        file=sys.stderr,
    )


def _tell_broken(out: Path) -> None:
    """End with status 1 where broken files had to be left out."""
    from ..datasets.images import amount

    file = out / 'data' / 'dataset.json'
    failed = json.loads(file.read_bytes()).get('failed') if file.is_file() else None
    if failed:
        sys.exit(
            f'error: {amount(len(failed), "broken file")} left out of the data set, '
            f"the first: {failed[0]} ('{file}' has all)"
        )


def _check(
    out: Path,
    minutes: float | None,
    export: bool,
    start: str | None,
    options: dict[str, Any],
) -> None:
    """Find what a later stage lacks before anything is trained."""
    if start is not None:
        from ..weights.segmentor_files import find_segmentor

        find_segmentor(start)
    if minutes is not None and not minutes > 0:
        raise ArgumentError(f'--minutes is {minutes}: expected more than 0')
    if minutes is not None and options.get('iterations') is not None:
        raise ArgumentError('--minutes and --iterations exclude each other: drop one')
    if export:
        from ..compat.optional_packages import require

        for package in ('onnx', 'onnxruntime'):
            require(package, ', or leave the export out with --no-export')
    place = out.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < ROOM:
        raise OutputError(
            f"the disk of '{out}' has {free >> 20} MiB left, and both trainings may "
            f'take {ROOM >> 20}: make room, or name another disk with --out'
        )


def words_of(options: dict[str, Any]) -> list[str]:
    """Return options as they are typed, without those that are left as they are."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = []
    for action in parser._actions:
        value = options.get(action.dest, action.default)
        if action.dest in ('help', 'data') or value == action.default:
            continue
        option = action.option_strings[-1 if value is False else 0]
        if isinstance(value, Mapping):
            value = ','.join(f'{old}={new}' for old, new in value.items())
        elif isinstance(value, list | tuple):
            value = ','.join(value)
        words.append(option if isinstance(value, bool) else f'{option}={value}')
    return words


def _some_images(out: Path) -> Path:
    """Return the folder of the images that are measured on."""
    from ..catalog import load_config

    dataset = load_config(out / 'student.py').test_dataloader.dataset
    return Path(dataset.data_root) / dataset.data_prefix['img_path']
