"""The trainings of a project of ``sctnet fit``, and how its commands are run."""

import re
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from ..errors import ArgumentError

TIMED = 12  # iterations by which --minutes is turned into a number


class Trainings:
    """The two trainings of a folder."""

    def __init__(self, out: Path, amp: bool) -> None:
        self.out, self.amp = out, ['--amp'] if amp else []

    def folder(self, name: str) -> Path:
        """Return the work folder of ``teacher`` or ``student``."""
        return self.out / 'work' / name

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
        run('train', config, '--work-dir', folder, *words, *self.amp)

    def is_newer(self, product: Path) -> bool:
        """Whether a product was made after the student's last checkpoint."""
        times = [file.stat().st_mtime for file in self.folder('student').glob('*.pth')]
        return product.is_file() and product.stat().st_mtime >= max(times, default=0)

    def make(self, product: Path, *words: object) -> bool:
        """Run a command, unless what it makes is newer; whether it was run."""
        if self.is_newer(product):
            return False
        run(*words)
        return True

    def compare(self, names: list[str], path: Path) -> None:
        """Draw the first tested image, its labels and what each training makes of it.

        Raises:
            OutputError: ``path`` cannot be written.
        """
        from mmseg.registry import DATASETS

        from ..apis import inference_model, init_model
        from ..catalog import load_config
        from ..datasets.bands import read_picture
        from ..datasets.check.inspection import read_labels
        from ..evaluation.comparison import draw_comparison
        from ..weights.segmentor_files import best_checkpoint

        cfg = load_config(self.out / 'student.py')
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        pair = dataset.get_data_info(0)
        maps = {'truth': read_labels(pair['seg_map_path'])}
        for name in names:
            weights = best_checkpoint(self.folder(name))
            model = init_model(self.out / f'{name}.py', weights, device='cpu')
            result = inference_model(model, pair['img_path'])
            maps[name] = result.pred_sem_seg.data[0].numpy()
        image = read_picture(pair['img_path'])
        about = dataset.metainfo
        draw_comparison(image, maps, about['palette'], path, about['classes'])

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
        if begun or (self.out / 'work/timed').is_file():
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
            write(file, text)
        write(self.out / 'work/timed', f'{count} iterations for {minutes} minutes\n')
        print(f'\n{count} iterations of each training fit into {minutes:g} minutes')

    def _time(self, name: str, timing: Path, teacher: bool) -> float:
        """Return the seconds of an iteration; the student's teacher is timed before."""
        from ..evaluation.training_curves import read_scalars

        options = [
            f'train_cfg.max_iters={TIMED}',
            f'train_cfg.val_interval={TIMED + 1}',
            'default_hooks.logger.interval=1',
            'log_processor.window_size=1',
            f'default_hooks.checkpoint.interval={TIMED}',
        ]
        taught = teacher and name == 'student'
        words: list[object] = ['--teacher', timing / 'teacher'] if taught else []
        config, folder = self.out / f'{name}.py', timing / name
        words += ['--no-check', *self.amp, '--cfg-options', *options]
        run('train', config, '--work-dir', folder, *words)
        times = dict(reversed(read_scalars(folder)['time']))  # a validation's is later
        return statistics.median(times[i] for i in times if TIMED // 3 < i < TIMED)


def write(file: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    from ..files import write_bytes

    write_bytes(file, text.encode())


def run(*words: object, faults_allowed: bool = False) -> None:
    """Show a command and run it; its failure ends the process with its status.

    Args:
        *words: of the command.
        faults_allowed: status 1, of something left out, is none.
    """
    text = [str(word) for word in words]
    print(f'\n$ sctnet {shlex.join(text)}', flush=True)
    status = subprocess.call([sys.executable, '-m', 'sctnet', *text])
    if status and not (status == 1 and faults_allowed):
        print(f'sctnet {text[0]} failed with status {status}', file=sys.stderr)
        sys.exit(status)
