"""Teach a small SCTNet: street scenes, a teacher, a student, a test, two pictures.

It takes about six minutes on two cores and needs neither data nor weights.

Example:
  sctnet demo --out-dir demo_output
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..errors import ArgumentError

TEACHER, STUDENT = 'segformer-t-streets', 'sctnet-t-streets'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`demo` takes."""
    add = parser.add_argument
    add('--out-dir', type=Path, default=Path('demo_output'))
    add('--scenes', type=int, default=48, help='to train on; a third as many to test')
    add('--iterations', type=int, default=400, help='of each training (default: 400)')


def demo(
    out_dir: Path = Path('demo_output'), scenes: int = 48, iterations: int = 400
) -> None:
    """Run the commands as a user would, each in its own process."""
    if scenes < 1 or iterations < 1:
        raise ArgumentError(
            f'--scenes is {scenes} and --iterations {iterations}: expected 1 or more'
        )
    from ..evaluation.training_curves import draw_curves

    start = time.monotonic()
    data, teacher = out_dir / 'street_scenes', out_dir / 'teacher'
    student = out_dir / 'student'
    counts = ('--train', scenes, '--val', max(scenes // 3, 1))
    _run('scenes', data, *counts, '--size', '512x256')
    at = ('--data-root', data, '--work-dir')
    length = ('--cfg-options', f'train_cfg.max_iters={iterations}')
    _run('train', TEACHER, *at, teacher, *length)
    _run('train', STUDENT, *at, student, '--teacher', teacher, *length)
    _run('test', STUDENT, student, *at, out_dir / 'test')
    image = sorted((data / 'leftImg8bit' / 'val').rglob('*.png'))[0]
    network = ('--config', STUDENT, '--checkpoint', student)
    _run('infer', image, *network, '--out-dir', out_dir / 'results')
    _compare(image, {TEACHER: teacher, STUDENT: student}, out_dir / 'comparison.png')
    draw_curves({'teacher': teacher, 'student': student}, out_dir / 'curves.png')
    print(
        f'\n{time.monotonic() - start:.0f} s. Look at {out_dir / "comparison.png"} '
        f'(image, truth, teacher, student), {out_dir / "curves.png"} and '
        f'{out_dir / "results" / f"{image.stem}_overlay.png"}'
    )


def _run(*words: object) -> None:
    """Show a command and run it; its failure ends the demo."""
    text = [str(word) for word in words]
    print(f'\n$ sctnet {" ".join(text)}', flush=True)
    status = subprocess.call([sys.executable, '-m', 'sctnet', *text])
    if status:
        sys.exit(f'error: the command above failed with status {status}')


def _compare(image: Path, trainings: dict[str, Path], path: Path) -> None:
    """Draw an image, its true labels and what each training makes of it."""
    import cv2

    from ..apis import inference_model, init_model
    from ..datasets.images import read_image
    from ..evaluation.comparison import draw_comparison
    from ..weights.segmentor_files import best_checkpoint

    truth = str(image).replace('leftImg8bit', 'gtFine').removesuffix('.png')
    labels = cv2.imread(f'{truth}_labelTrainIds.png', cv2.IMREAD_UNCHANGED)
    maps: dict[str, Any] = {'truth': labels}
    for config, folder in trainings.items():
        model = init_model(config, best_checkpoint(folder), device='cpu')
        result = inference_model(model, image)
        palette = result.metainfo['palette']
        maps[folder.name] = result.pred_sem_seg.data[0].numpy()
    draw_comparison(read_image(image), maps, palette, path)
