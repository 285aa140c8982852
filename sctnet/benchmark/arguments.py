"""The options of the benchmark's command line; ``--help`` imports nothing heavy."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from .case import READABLE, SHORTCUTS, TRAINING_OPTIONS, WAYS, Case, parse_way

TORCH = (
    'torch, onnxruntime, openvino, tensorrt; for torch also fp16, bf16, channels_last, '
    'compile and graphs, as in torch+fp16+graphs'
)


class _Kind(NamedTuple):
    """The defaults of a kind of benchmark, and what its options stand for."""

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
        "each model's own", [1], '1', 20, 2,
    ),
    'image': _Kind(
        ['ours'], 'also: ours, peers', ['mmseg', 'torch', 'onnxruntime'],
        TORCH + '; also mmseg and onnxruntime+int8',
        "typical of each model's data set", [1], '1', 20, 2,
    ),
    'train': _Kind(
        [], 'students of ours; default: S and B on ADE20K, S on Cityscapes',
        [READABLE, SHORTCUTS],
        f'some of {", ".join(WAYS)}; the first two also with '
        f'{", ".join(TRAINING_OPTIONS)}, as in shortcuts+amp+channels_last',
        "the recipe's crop", [], "2 on a CPU, the recipe's on a GPU", 7, 1, '--ways',
    ),
}  # fmt: skip


def add_kinds(parser: argparse.ArgumentParser) -> None:
    """Add a sub-command with its options for each kind of benchmark."""
    kinds = parser.add_subparsers(dest='kind', required=True)
    for name, kind in KINDS.items():
        add: Callable[..., object] = kinds.add_parser(name).add_argument
        several: dict[str, Any] = {'nargs': '+', 'metavar': 'NAME'}
        add('--models', default=kind.models, help=kind.models_help, **several)
        several |= {'dest': 'backends', 'default': kind.backends}
        text = f'{kind.backends_help}; default: {" ".join(kind.backends)}'
        add(kind.backends_option, help=text, **several)
        pair: dict[str, Any] = {
            'nargs': 2,
            'metavar': ('HEIGHT', 'WIDTH'),
            'action': 'append',
        }
        text = f'may be repeated; default: {kind.size_help}'
        add('--size', type=int, help=text, **pair)
        numbers: dict[str, Any] = {'nargs': '+', 'metavar': 'N', 'default': kind.batch}
        add('--batch', type=int, help=f'default: {kind.batch_help}', **numbers)
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
    if args.kind == 'train':
        for way in args.backends:
            parse_way(way)
    from .models import find_entries
    from .runs import cases_of, check_backends
    from .training import training_cases

    models = find_entries(args.models)
    sizes = [tuple(size) for size in args.size or ()]
    if args.kind == 'train':
        return training_cases(models, args.backends, args.batch, sizes, args.device)
    check_backends(args.backends)
    return cases_of(args.kind, models, args.backends, args.batch, sizes)
