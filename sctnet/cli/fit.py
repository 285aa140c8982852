"""From a folder or an export to a trained, tested and exported model, in one command.

It writes the configs, checks the data, trains a teacher and its student, tests, writes
a report and model.onnx, and segments some images. What it runs is printed as commands.
Run again it goes on where it stopped; what is finished is left alone.

Examples:
  sctnet fit photos --out rooms --minutes 60
  sctnet fit export.json --student t --minutes 1
"""

import argparse
import re
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, OutputError
from . import new as new_command

TIMED = 12  # iterations by which --minutes is turned into a number
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
    _check(out, minutes, export, options)
    if not (out / 'student.py').is_file():
        words = _words_of(options)
        _run('new', data, '--out', out, *words, *([] if teacher else ['--no-teacher']))
    run = _Training(out, amp)
    if not (out / 'check.html').is_file():
        _run('check', out / 'student.py', '--html', out / 'check.html', faults=True)
    if minutes is not None:
        run.settle_length(minutes, teacher)
    if teacher:
        run.train('teacher')
    run.train('student', run.folder('teacher') if teacher else None, start)
    student, weights = out / 'student.py', run.folder('student')
    if not (out / 'report' / 'index.html').is_file():
        report = ('--report', out / 'report', '--work-dir', out / 'work' / 'test')
        _run('test', student, weights, *report)
    if export and not (out / 'model.onnx').is_file():
        _run('export', student, weights, out / 'model.onnx')
    if not (out / 'results').is_dir():
        _run('infer', _some_images(out), *run.network(), '--out-dir', out / 'results')
    print(f"\nall is in '{out}': report/index.html, results, work/student, configs")


def _check(
    out: Path, minutes: float | None, export: bool, options: dict[str, Any]
) -> None:
    """Find what a later stage lacks before anything is trained."""
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


def _words_of(options: dict[str, Any]) -> list[str]:
    """Return the options of ``sctnet new`` as they are typed."""
    parser = argparse.ArgumentParser()
    new_command.add_options(parser)
    words = []
    for action in parser._actions:
        value = options.get(action.dest, action.default)
        if action.dest == 'help' or value == action.default:
            continue
        words.append(action.option_strings[0])
        words += [] if isinstance(value, bool) else [str(value)]
    return words


class _Training:
    """The two trainings of a folder."""

    def __init__(self, out: Path, amp: bool) -> None:
        self.out, self.amp = out, ['--amp'] if amp else []

    def folder(self, name: str) -> Path:
        """Return the work folder of ``teacher`` or ``student``."""
        return self.out / 'work' / name

    def network(self) -> list[object]:
        """Return the arguments that name the student."""
        return [
            *('--config', self.out / 'student.py'),
            *('--checkpoint', self.folder('student')),
        ]

    def train(
        self, name: str, teacher: Path | None = None, start: str | None = None
    ) -> None:
        """Train, or go on, unless it is finished."""
        folder, config = self.folder(name), self.out / f'{name}.py'
        if (folder / f'iter_{self.length(name)}.pth').is_file():
            print(f"\nthe {name} is trained: '{folder}'")
            return
        words: list[object] = ['--teacher', teacher] if teacher else []
        if any(folder.glob('iter_*.pth')):
            words += ['--resume']
        elif start:
            words += ['--from', start]
        _run('train', config, '--work-dir', folder, *words, *self.amp)

    def length(self, name: str) -> int:
        """Return the number of iterations that a config has."""
        text = (self.out / f'{name}.py').read_text(encoding='utf-8')
        match = re.search(r'^iterations = (\d+)$', text, re.MULTILINE)
        if match is None:
            raise ArgumentError(
                f"'{self.out / name}.py' has no line 'iterations = NUMBER' any more: "
                'go on by hand, with sctnet train'
            )
        return int(match[1])

    def settle_length(self, minutes: float, teacher: bool) -> None:
        """Write into both configs how many iterations fit, unless a training began."""
        names = ['teacher', 'student'] if teacher else ['student']
        begun = any(any(self.folder(name).glob('iter_*.pth')) for name in names)
        if begun or (self.out / 'timed').is_file():
            return
        timing = self.out / 'work' / 'timing'
        shutil.rmtree(timing, ignore_errors=True)
        seconds = sum(self._time(name, timing, teacher) for name in names)
        shutil.rmtree(timing, ignore_errors=True)
        count = max(20, int(60 * minutes / seconds))
        for name in names:
            file = self.out / f'{name}.py'
            text = file.read_text(encoding='utf-8')
            line = f'iterations = {count}'
            text = re.sub(r'^iterations = \d+$', line, text, flags=re.MULTILINE)
            _write(file, text)
        _write(self.out / 'timed', f'{count} iterations for {minutes} minutes\n')
        print(f'\n{count} iterations of each training fit into {minutes:g} minutes')

    def _time(self, name: str, timing: Path, teacher: bool) -> float:
        """Return the seconds of an iteration; the student's teacher is timed before."""
        from ..evaluation.training_curves import read_scalars

        options = [
            f'train_cfg.max_iters={TIMED}',
            f'train_cfg.val_interval={TIMED + 1}',
            'default_hooks.logger.interval=1',
            f'default_hooks.checkpoint.interval={TIMED}',
        ]
        taught = teacher and name == 'student'
        words: list[object] = ['--teacher', timing / 'teacher'] if taught else []
        config, folder = self.out / f'{name}.py', timing / name
        words += ['--no-check', *self.amp, '--cfg-options', *options]
        _run('train', config, '--work-dir', folder, *words)
        times = [value for _, value in read_scalars(folder)['time']]
        return statistics.median(times[TIMED // 3 :])


def _write(file: Path, text: str) -> None:
    from ..files import write_bytes

    write_bytes(file, text.encode())


def _some_images(out: Path) -> Path:
    """Return the folder of the images that are measured on."""
    from ..catalog import load_config

    dataset = load_config(out / 'student.py').test_dataloader.dataset
    return Path(dataset.data_root) / dataset.data_prefix['img_path']


def _run(*words: object, faults: bool = False) -> None:
    """Show a command and run it; its failure ends the process with its status."""
    text = [str(word) for word in words]
    print(f'\n$ sctnet {shlex.join(text)}', flush=True)
    status = subprocess.call([sys.executable, '-m', 'sctnet', *text])
    if status == 1 and faults:
        sys.exit(
            'error: the data set has faults, see above: mend them and run this again'
        )
    if status:
        sys.exit(f'error: the command above failed with status {status}')
