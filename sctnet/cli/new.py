"""Look at a folder or an export, and write the data set and two configs to train on.

Index masks, colour masks, COCO (Roboflow, CVAT, Label Studio), the own files of CVAT,
Label Studio and labelme, YOLO, run lengths in a CSV, Pascal VOC, Cityscapes, Mapillary
Vistas and MVTec AD are recognised. It says what it took them for.

Examples:
  sctnet new photos --out rooms
  sctnet new export.json --out rooms --student t --val 0.2
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`new` takes."""
    add = parser.add_argument
    add('data', type=Path, metavar='DATA', help='folder, or annotation file')
    add('--out', type=Path, help='folder to make (default: DATA_sctnet, here)')
    add('--no-teacher', dest='teacher', action='store_false', help='the student alone')
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how data are read and networks are chosen."""
    from ..datasets.convert.formats import FORMATS
    from ..datasets.convert.options import add_all, add_general

    add = parser.add_argument
    add('--student', choices=('s', 'b', 't'), default='s', help='default: s')
    add('--format', dest='format_name', choices=FORMATS, help='default: recognised')
    add_all(parser)
    add_general(parser, '--keep')
    add('--copy', dest='link', action='store_false', help='images, not link to them')
    add('--crop', type=int, metavar='SIDE', help='that a training sees')
    add('--iterations', type=int, help='of each training')
    add('--batch', type=int, help='images a step')


def new(data: Path, out: Path | None = None, **options: Any) -> int:
    """Make it; 1 if broken files had to be left out.

    ``options`` are those of :func:`sctnet.datasets.new.new_project`.
    """
    from ..datasets.new import new_project, stop_at_questions
    from .progress import progress_bar

    out = out or default_folder(data)
    given = {key: value for key, value in options.items() if value is not None}
    ask = ask_on_terminal if sys.stdin.isatty() else stop_at_questions
    with ExitStack() as stack:
        bars: list[Callable[[int, int], None]] = []

        def advance(done: int, total: int) -> None:
            if not bars:  # not while a question is open
                bars.append(stack.enter_context(progress_bar('Reading')))
            bars[0](done, total)

        made = new_project(data, out, ask=ask, progress=advance, **given)
    for line in made.said:
        print(line)
    for line in made.failed:
        print(line, file=sys.stderr)
    student, teacher = made.configs[-1], out / 'work' / 'teacher'
    folder = out / 'work' / 'student'
    lines: list[list[object]] = [
        ['check', student],
        ['train', student, '--work-dir', folder],
    ]
    if len(made.configs) > 1:
        lines.insert(1, ['train', made.configs[0], '--work-dir', teacher])
        lines[2] += ['--teacher', teacher]
    print(f'written: {", ".join(map(str, made.configs))}. Go on with')
    for words in lines:
        print(f'  sctnet {shlex.join(map(str, words))}')
    return 1 if made.failed else 0


def default_folder(data: Path) -> Path:
    """Return where a project goes that is not told."""
    return Path(f'{data.resolve().stem}_sctnet')


def ask_on_terminal(question: str, choices: Mapping[str, str], option: str) -> str:
    """Ask until one of ``choices`` is typed; ``option`` would have answered."""
    print(f'{question} ({option} answers it beforehand)')
    for name, meaning in choices.items():
        print(f'  {name}: {meaning}')
    while True:
        answer = input(f'{"/".join(choices)}? ').strip()
        if answer in choices:
            return answer
