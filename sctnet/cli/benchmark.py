"""Measure how fast networks are: tables, plots and every single time.

network: a random tensor to logits, for SCTNet and its peers in mmseg.
image: an image in memory to its label map, by mmseg's own functions and by ours.
train: a training step of a student and its teacher, with our short cuts and without,
  and the data loader beside it.

Example:
  sctnet benchmark network --models sctnet-s-seg50 pidnet-s --size 512 1024
"""

import argparse
import shlex
import sys
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`benchmark` takes: each kind has defaults of its own."""
    from ..benchmark.arguments import add_kinds

    add_kinds(parser)


def benchmark(kind: str, **options: Any) -> None:
    """Measure and write; ``options`` are the command line's, by their long names."""
    from rich.progress import Progress

    from ..benchmark import command, runs
    from ..benchmark.arguments import cases_from

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = argparse.Namespace(**{**vars(parser.parse_args([kind])), **options})
    settings = runs.Settings(*(getattr(args, name) for name in runs.Settings._fields))
    command.check_settings(settings, args.batch)
    cases = cases_from(args)
    line = shlex.join(['sctnet', *sys.argv[1:]])
    with Progress() as progress:
        task = progress.add_task('Measuring', total=runs.steps(cases, settings))
        files, failures = command.benchmark(
            *(args.kind, cases, settings, args.out, line),
            lambda text: progress.update(task, advance=1, description=text),
        )
    for failure in failures:
        print(f'not run: {failure}', file=sys.stderr)
    print('written: ' + ', '.join(map(str, files)))
