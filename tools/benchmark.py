"""Measure how fast networks are: tables, plots and every single time.

network: a random tensor to logits, for SCTNet and its peers in mmseg.
image: an image in memory to its label map, by mmseg's own functions and by ours.
train: a training step of a student and its teacher, with our short cuts and without,
  and the data loader beside it.
"""

import argparse
import shlex
import sys

from rich.progress import Progress

from sctnet.benchmark import arguments, command, runs
from sctnet.engine.launch import run_tool


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_kinds(parser)
    return parser.parse_args()


def main() -> None:
    """Measure and write."""
    args = parse_args()
    settings = runs.Settings(*(getattr(args, name) for name in runs.Settings._fields))
    command.check_settings(settings, args.batch)
    cases = arguments.cases_from(args)
    line = shlex.join(['tools/benchmark.py', *sys.argv[1:]])
    with Progress() as progress:
        task = progress.add_task('Measuring', total=runs.steps(cases, settings))
        files, failures = command.benchmark(
            *(args.kind, cases, settings, args.out, line),
            lambda text: progress.update(task, advance=1, description=text),
        )
    for failure in failures:
        print(f'not run: {failure}', file=sys.stderr)
    print('written: ' + ', '.join(map(str, files)))


if __name__ == '__main__':
    run_tool(main)
