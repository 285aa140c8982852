"""Measure how fast networks are: tables, plots and every single time.

network: a random tensor to logits, for SCTNet and its peers in mmseg.
image: an image in memory to its label map, by mmseg's own functions and by ours.
train: a training step of a student and its teacher, with our short cuts and without,
  and the data loader beside it.
"""

import argparse
import shlex
import sys
from pathlib import Path

from rich.progress import Progress

from sctnet.benchmark import command, peers, runs, training
from sctnet.launch import run_tool

MODELS = {'network': ['ours', 'peers'], 'image': ['ours'], 'train': []}
BACKENDS = {
    'network': ['torch', 'onnxruntime'],
    'image': ['mmseg', 'torch', 'onnxruntime'],
    'train': list(training.WAYS),
}
HELP = {
    'network': 'torch, onnxruntime, openvino, tensorrt; for torch also fp16, bf16, '
    'channels_last, compile and graphs, as in torch+fp16+graphs',
    'train': 'loader, reference and fused, these also with '
    + ', '.join(training.OPTIONS)
    + ', as in fused+amp+channels_last',
}
HELP['image'] = HELP['network'] + '; also mmseg and onnxruntime+int8'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(dest='kind', required=True)
    for kind in MODELS:
        add = kinds.add_parser(kind).add_argument
        several = {'nargs': '+', 'metavar': 'NAME'}
        add('--models', **several, default=MODELS[kind], help='also: ours, peers')
        add(
            '--ways' if kind == 'train' else '--backends',
            **several,
            dest='backends',
            default=BACKENDS[kind],
            help=HELP[kind],
        )
        if kind == 'network':
            norms = ['kept', 'folded']
            add('--norms', nargs='+', choices=norms, default=norms)
        add(
            '--size',
            nargs=2,
            type=int,
            action='append',
            metavar=('HEIGHT', 'WIDTH'),
            help="may be repeated; default: each model's own",
        )
        batch = [] if kind == 'train' else [1]
        add('--batch', nargs='+', type=int, default=batch, metavar='N')
        add('--device', default='cpu', help="'cpu' or 'cuda'")
        add('--threads', type=int, default=0, help="of a CPU; default: torch's")
        repeats, warmup = (7, 1) if kind == 'train' else (20, 2)
        add('--repeats', type=int, default=repeats, help='timed calls of each')
        add('--warmup', type=int, default=warmup, help='rounds before')
        add('--pause', type=float, default=0.05, help='seconds before each call')
        add('--no-memory', dest='memory', action='store_false')
        add('--out', type=Path, default=Path('benchmarks'), help='folder')
    return parser.parse_args()


def main() -> None:
    """Measure and write."""
    args = parse_args()
    settings = runs.Settings(*(getattr(args, name) for name in runs.Settings._fields))
    command.check_settings(settings, args.batch)
    models = peers.find_entries(command.resolve_models(args.models))
    sizes = [tuple(size) for size in args.size or ()]
    if args.kind == 'train':
        for way in args.backends:
            training.check_way(way)
        cases = training.training_cases(
            models, args.backends, args.batch, sizes, args.device
        )
    else:
        runs.check_backends(args.backends)
        norms = getattr(args, 'norms', ())
        cases = runs.cases_of(
            args.kind, models, args.backends, norms, args.batch, sizes
        )
    line = shlex.join(['tools/benchmark.py', *sys.argv[1:]])
    with Progress() as progress:
        task = progress.add_task('Measuring', total=runs.steps(cases, settings))
        files = command.benchmark(
            *(args.kind, cases, settings, args.out, line),
            lambda text: progress.update(task, advance=1, description=text),
        )
    print('written: ' + ', '.join(map(str, files)))


if __name__ == '__main__':
    run_tool(main)
