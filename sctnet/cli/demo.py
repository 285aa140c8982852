"""Teach a small SCTNet: street scenes, a teacher, a student, a test, pictures.

It draws scenes and runs sctnet fit on them, as you would on a folder of your own. It
takes about six minutes on two cores and needs neither data nor weights.

Example:
  sctnet demo --out-dir demo_output
"""

import argparse
import time
from importlib.util import find_spec
from pathlib import Path

from ..errors import ArgumentError
from .trainings import run

FEWEST = 12  # the first eleven show no train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`demo` takes."""
    add = parser.add_argument
    add('--out-dir', type=Path, default=Path('demo_output'))
    add('--scenes', type=int, default=48, help='to train on; a third to test')
    add('--iterations', type=int, default=400, help='of each training (default: 400)')


def demo(
    out_dir: Path = Path('demo_output'), scenes: int = 48, iterations: int = 400
) -> None:
    """Run both commands as a user would."""
    if scenes < FEWEST or iterations < 1:
        raise ArgumentError(
            f'--scenes is {scenes} and --iterations {iterations}: expected {FEWEST} '
            'scenes, which show all classes, or more, and 1 iteration'
        )
    start = time.monotonic()
    data, out = out_dir / 'street_scenes', out_dir / 'fit'
    if not data.is_dir():
        counts = ('--train', scenes, '--val', max(scenes // 3, 1))
        run('scenes', data, *counts, '--size', '512x256')
    options = ['--student', 't', '--crop', 128, '--iterations', iterations]
    if find_spec('onnx') is None or find_spec('onnxruntime') is None:
        options.append('--no-export')
        print("no model.onnx: it needs pip install 'sctnet[onnx]'")
    run('fit', data, '--out', out, *options)
    print(
        f'\n{time.monotonic() - start:.0f} s. Look at {out / "comparison.png"} '
        f'(image, truth, teacher, student) and {out / "curves.png"}'
    )
