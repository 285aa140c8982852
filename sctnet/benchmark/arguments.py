"""The command line of ``tools/benchmark.py``."""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from .cases import Case
from .command import resolve_models
from .peers import find_entries
from .runs import cases_of, check_backends
from .training import OPTIONS, WAYS, check_way, training_cases

TORCH = (
    'torch, onnxruntime, openvino, tensorrt; for torch also fp16, bf16, channels_last, '
    'compile and graphs, as in torch+fp16+graphs'
)


class _Kind(NamedTuple):
    """What the options of a kind of benchmark stand for."""

    models: list[str]
    models_help: str
    backends: list[str]
    backends_help: str
    size_help: str
    batch: list[int]
    batch_help: str
    repeats: int
    warmup: int
    backends_option: str = '--backends'


KINDS = {
    'network': _Kind(
        ['ours', 'peers'], 'also: ours, peers', ['torch', 'onnxruntime'], TORCH,
        "may be repeated; default: each model's own", [1], 'default: 1', 20, 2,
    ),
    'image': _Kind(
        ['ours'], 'also: ours, peers', ['mmseg', 'torch', 'onnxruntime'],
        TORCH + '; also mmseg and onnxruntime+int8',
        "may be repeated; default: typical of each model's data set", [1], 'default: 1',
        20, 2,
    ),
    'train': _Kind(
        [], 'students of ours; default: S and B on ADE20K, S on Cityscapes',
        ['reference', 'fused'],
        f'some of {", ".join(WAYS)}; the first two also with {", ".join(OPTIONS)}, '
        'as in fused+amp+channels_last',
        "may be repeated; default: the recipe's crop, 256x256 for B on a CPU", [],
        "default: 2 on a CPU, the recipe's on a GPU", 7, 1, '--ways',
    ),
}  # fmt: skip


def add_kinds(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command with its options for each kind of benchmark."""
    kinds = parser.add_subparsers(dest='kind', required=True)
    several: dict[str, Any] = {'nargs': '+', 'metavar': 'NAME'}
    for name, kind in KINDS.items():
        add = kinds.add_parser(name).add_argument
        add('--models', **several, default=kind.models, help=kind.models_help)
        add(
            kind.backends_option,
            **several,
            dest='backends',
            default=kind.backends,
            help=f'{kind.backends_help}; default: {" ".join(kind.backends)}',
        )
        if name == 'network':
            norms = ['kept', 'folded']
            add('--norms', nargs='+', choices=norms, default=norms)
        add(
            '--size',
            nargs=2,
            type=int,
            action='append',
            metavar=('HEIGHT', 'WIDTH'),
            help=kind.size_help,
        )
        add(
            '--batch',
            nargs='+',
            type=int,
            default=kind.batch,
            metavar='N',
            help=kind.batch_help,
        )
        add('--device', default='cpu', help="'cpu' or 'cuda'")
        add('--threads', type=int, default=0, help="of a CPU; default: torch's")
        add('--repeats', type=int, default=kind.repeats, help='timed calls of each')
        add('--warmup', type=int, default=kind.warmup, help='rounds before')
        add('--pause', type=float, default=0.05, help='seconds before each call')
        add('--no-memory', dest='memory', action='store_false')
        add('--out', type=Path, default=Path('benchmarks'), help='folder')


def cases_from(args: argparse.Namespace) -> list[Case]:
    """Return what the command line asks to measure.

    Raises:
        ArgumentError: a model, a backend or a way to train is not known.
    """
    models = find_entries(resolve_models(args.models))
    sizes = [tuple(size) for size in args.size or ()]
    if args.kind == 'train':
        for way in args.backends:
            check_way(way)
        return training_cases(models, args.backends, args.batch, sizes, args.device)
    check_backends(args.backends)
    norms = getattr(args, 'norms', ())
    return cases_of(args.kind, models, args.backends, norms, args.batch, sizes)
