"""What a project of ``sctnet fit`` was begun with, and when it may begin anew."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from ..errors import ArgumentError
from ..files import find_files, write_bytes

_CONFIGS = ('teacher.py', 'student.py')
_OF_TRAININGS = ('--minutes', '--from', '--no-teacher')


class Begun:
    """The data and options of a folder, kept in its ``fit.json``."""

    def __init__(self, out: Path, data: Path, words: list[str]) -> None:
        """Look at the data; ``words`` are the options as they are typed."""
        self.out, self.data, self.file = out, data.resolve(), out / 'fit.json'
        looks = [
            (found.st_size, found.st_mtime_ns)
            for file in (find_files(self.data, '') if data.is_dir() else [self.data])
            if not file.is_relative_to(out.resolve()) and file.is_file()
            for found in [file.stat()]
        ]
        self.now: dict[str, Any] = {
            'data': str(self.data),
            'options': words,
            # To see a file added, taken away or changed.
            'files': [len(looks), sum(size for size, _ in looks)],
            'newest': max((time for _, time in looks), default=0),
        }

    def is_made(self) -> bool:
        """Whether the configs are there."""
        return (self.out / 'student.py').is_file()

    def remember(self) -> None:
        """Keep what it is begun with, once the configs are there."""
        if not self.file.is_file():
            write_bytes(self.file, json.dumps(self.now, indent=1).encode())

    def check(self) -> None:
        """See that nothing was chosen otherwise than in what is there.

        As long as nothing is trained, what was made is removed, to be made anew.

        Raises:
            ArgumentError: it was, and something is trained, or the configs are not of
                ``sctnet fit`` as they stand.
        """
        words = self.now['options']
        if not self.is_made():
            self.file.unlink(missing_ok=True)
            return
        before = json.loads(self.file.read_bytes()) if self.file.is_file() else {}
        if not before or ('configs' in before and not self._is_trained()):
            words = [word for word in words if not word.startswith(_OF_TRAININGS)]
            if words:
                raise ArgumentError(
                    f"'{self.out}' has configs already, of sctnet new, so that "
                    f'{shlex.join(words)} cannot be chosen: change the configs, or '
                    'name another folder with --out'
                )
            self.now['configs'] = 'of sctnet new'
            for file in (self.file, self.out / 'work' / 'timed'):
                file.unlink(missing_ok=True)
            return
        why = self._otherwise(before)
        changed = any(before.get(x) != self.now[x] for x in ('files', 'newest'))
        kept = self._kept() if why or changed else None
        if kept and why:
            raise ArgumentError(
                f"'{self.out}' was {why}, and {kept}: give the same options again, or "
                'name another folder with --out'
            )
        if kept:
            print(
                f"\nnoted: '{self.data}' has other files than at the beginning, and "
                f"{kept}: what is in '{self.out}' is of the earlier ones; for these "
                'name another folder with --out'
            )
        elif why or changed:
            why = why or 'begun with other files'
            print(f"\nnothing is trained in '{self.out}', {why}: it is made anew")
            self._remove()

    def _otherwise(self, before: dict[str, Any]) -> str:
        """Say which choices are others; empty where they are the same."""
        was, now = (
            [shlex.quote(one.get('data', '')), *one.get('options', [])]
            for one in (before, self.now)
        )
        gone = ' '.join(word for word in was if word not in now)
        new = ' '.join(word for word in now if word not in was)
        if gone:
            return f'begun with {gone}' + (f', not {new}' if new else '')
        return f'begun without {new}' if new else ''

    def _is_trained(self) -> bool:
        return any(self.out.glob('work/*/iter_*.pth'))

    def _kept(self) -> str | None:
        """Return why what was made is not to be removed."""
        if self._is_trained():
            return 'a training has begun'
        if self.data.is_relative_to(self.out.resolve()):
            return 'the data lie in it'
        written = [self.file, self.out / 'work' / 'timed']
        last = max(file.stat().st_mtime for file in written if file.is_file())
        for name in _CONFIGS:
            file = self.out / name
            if file.is_file() and file.stat().st_mtime > last:
                return f'{name} was changed since'
        return None

    def _remove(self) -> None:
        """Remove what a start that trained nothing has made, and nothing else."""
        for name in ('data', 'work/timing'):
            shutil.rmtree(self.out / name, ignore_errors=True)
        made = (*_CONFIGS, 'check.html', 'fit.json', 'work/check.json', 'work/timed')
        for name in made:
            (self.out / name).unlink(missing_ok=True)
