"""Measure how fast networks are: tables, plots and every single time.

network: a random tensor to logits, for SCTNet and its peers in mmseg.
image: an image in memory to its label map, by mmseg's own functions and by ours.
train: a training step of a student and its teacher, with our short cuts and without,
  and the data loader beside it.
gpu: is all of it right on this GPU, and what does it cost there?

Example:
  sctnet benchmark network --models sctnet-s-seg50 pidnet-s --size 512 1024
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..benchmark.case import (
    LOADER,
    LOADER_OPTIONS,
    READABLE,
    SHORTCUTS,
    TORCH_OPTIONS,
    TRAINING_OPTIONS,
)
from . import benchmark_gpu


class _Kind(NamedTuple):
    """What the options of a kind of benchmark are by default, and may be."""

    models: tuple[str, ...]
    option: str
    backends: tuple[str, ...]
    choices: str


TORCH = (
    'torch, onnxruntime, openvino, tensorrt; torch also with '
    f'{", ".join(TORCH_OPTIONS)}, as in torch+fp16+graphs'
)
KINDS = {
    'network': _Kind(('ours', 'peers'), '--backends', ('torch', 'onnxruntime'), TORCH),
    'image': _Kind(
        ('ours',),
        '--backends',
        ('mmseg', 'torch', 'onnxruntime'),
        f'{TORCH}; mmseg; onnxruntime+int8',
    ),
    'train': _Kind(
        ('sctnet-s-ade', 'sctnet-b-ade', 'sctnet-s-seg50'),
        '--ways',
        (READABLE, SHORTCUTS, LOADER),
        f'{LOADER}, also with {", ".join(LOADER_OPTIONS)}, as in loader+store+crop; '
        f'{READABLE} or {SHORTCUTS}, also with {", ".join(TRAINING_OPTIONS)}, as in '
        'shortcuts+amp+channels_last',
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command for each kind, with what :func:`benchmark` takes."""
    kinds = parser.add_subparsers(dest='kind', required=True)
    for name, kind in KINDS.items():
        add = kinds.add_parser(name).add_argument
        add(
            '--models',
            nargs='+',
            metavar='NAME',
            default=kind.models,
            help=f'also: ours, peers; default: {" ".join(kind.models)}',
        )
        add(
            kind.option,
            dest='backends',
            nargs='+',
            metavar='NAME',
            default=kind.backends,
            help=f'{kind.choices}; default: {" ".join(kind.backends)}',
        )
        add(
            '--size',
            dest='sizes',
            nargs=2,
            type=int,
            action='append',
            metavar=('HEIGHT', 'WIDTH'),
            help="may be repeated; default: each model's own",
        )
        add(
            '--batch',
            dest='batches',
            nargs='+',
            type=int,
            metavar='N',
            default=(),
            help="default: 1; to train 2, on a GPU the recipe's",
        )
        add('--device', default='cpu', help="'cpu' or 'cuda'")
        add('--threads', type=int, default=0, help="of a CPU; default: torch's")
        add('--repeats', type=int, default=10, help='timed calls of each')
        add('--warmup', type=int, default=1, help='rounds before')
        add('--pause', type=float, default=0.05, help='seconds before each call')
        add('--no-memory', dest='memory', action='store_false')
        add('--out', type=Path, default=Path('benchmarks'), help='folder')
    gpu = kinds.add_parser(
        'gpu',
        description=benchmark_gpu.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benchmark_gpu.add_arguments(gpu)


def benchmark(kind: str, **options: Any) -> int:
    """Measure and write; return 1 if something could not be run.

    Args:
        kind: ``gpu``, or one of :data:`KINDS`.
        **options: of :func:`.benchmark_gpu.benchmark_gpu`, or of :func:`measure`.
    """
    if kind == 'gpu':
        return benchmark_gpu.benchmark_gpu(**options)
    return measure(kind, **options)


def measure(
    kind: str,
    models: Sequence[str],
    backends: Sequence[str],
    *,
    sizes: Sequence[tuple[int, int]] | None = None,
    batches: Sequence[int] = (),
    out: Path = Path('benchmarks'),
    **settings: float | str,
) -> int:
    """Measure and write; return 1 if something could not be run.

    Args:
        kind: one of :data:`KINDS`.
        models: names of ours and of peers.
        backends: what runs them; for ``train``, the ways to train.
        sizes: (height, width) of each; by default typical of each model.
        batches: images at once.
        out: folder for the files.
        **settings: of :class:`sctnet.benchmark.runs.Settings`.
    """
    from rich.progress import Progress

    from ..benchmark import command, runs
    from ..benchmark.models import find_entries

    how = runs.Settings(**settings)  # type: ignore[arg-type]
    command.check_settings(how, batches)
    runs.check_backends(kind, backends)
    entries, pairs = find_entries(models), [(h, w) for h, w in sizes or ()]
    cases = runs.cases_of(kind, entries, backends, batches, pairs, how.device)
    line = shlex.join(['sctnet', *sys.argv[1:]])
    with Progress() as progress:
        task = progress.add_task('Measuring', total=runs.steps(cases, how))
        files, failures = command.benchmark(
            *(kind, cases, how, out, line),
            lambda text: progress.update(task, advance=1, description=text),
        )
    for failure in failures:
        print(f'not run: {failure}', file=sys.stderr)
    if failures:
        print(f'{len(failures)} of {len(cases)} not run', file=sys.stderr)
    print('written: ' + ', '.join(map(str, files)))
    return 1 if failures else 0
