"""Two copies of the package in turns, section by section, each in a process."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ...errors import ArgumentError
from .place import Place
from .record import Record

OWN = Path(__file__).resolve().parents[3]  # the folder that holds sctnet


def find_copy(folder: Path) -> Path:
    """Return the folder of another copy of sctnet that knows this check.

    Raises:
        ArgumentError: it holds none.
    """
    if not (folder / 'sctnet' / 'benchmark' / 'gpu' / 'check.py').is_file():
        raise ArgumentError(
            f"'{folder}' holds no sctnet with 'sctnet benchmark gpu': name a checkout, "
            'or the site-packages, of a version that has it'
        )
    return folder.resolve()


def run_in_turns(
    name: str,
    folders: Sequence[Path],
    place: Place,
    deadline: float,
    record: Record,
) -> None:
    """Run a section by each copy.

    Every process appends to the same file and names its commit in each line.

    Args:
        name: of the section.
        folders: of the copies, which take turns.
        place: where.
        deadline: in :func:`time.monotonic`; what is left is shared evenly.
        record: hears what ended badly, and names the folder for the facts.
    """
    options = ['--device', place.device, '--out', str(record.file.parent)]
    options += ['--small'] if place.small else []
    for number, folder in enumerate(folders):
        left = (deadline - time.monotonic()) / (len(folders) - number)
        words = ['benchmark', 'gpu', '--only', name, '--seconds', f'{max(left, 1):.0f}']
        done = subprocess.run(
            [sys.executable, '-W', 'ignore', '-m', 'sctnet', *words, *options],
            cwd=folder,  # comes first in the search for modules
            env={**os.environ, 'PYTHONPATH': str(folder)},
            check=False,
        )
        if done.returncode == 1:  # its own lines and its last words say why
            record.wrong.append(f'{name} of {folder}')
        elif done.returncode:
            error = f'{folder}: the process ended with status {done.returncode}'
            record.say(name, ok=False, error=error)
