"""Unpack a published data set, or keep any data set decoded for faster trainings.

Examples:
  sctnet prepare cityscapes leftImg8bit_trainvaltest.zip gtFine_trainvaltest.zip
  sctnet prepare store sctnet-s-seg50
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .arguments import add_cfg_options

PARTS = ('train', 'val', 'test')
STORE = 'store'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`prepare` takes, a sub-command for each data set and the store."""
    from ..datasets.prepare.published import DATASETS

    _add_common(parser, None)
    kinds = parser.add_subparsers(dest='dataset', required=True, metavar='WHAT')
    for name, module in DATASETS.items():
        line = (module.__doc__ or '').splitlines()[0]
        kind = kinds.add_parser(name, help=line, description=line)
        add = kind.add_argument
        add('archives', nargs='+', type=Path, metavar='ARCHIVE', help='as published')
        _add_common(kind, argparse.SUPPRESS)
    line = "keep a config's images decoded, so that trainings load them faster"
    kind = kinds.add_parser(STORE, help=line, description=line)
    add = kind.add_argument
    add('config', help='path, leaf name or short name of a config')
    add('--data-root', help='folder of the data set')
    add(
        '--parts',
        nargs='+',
        choices=PARTS,
        default=['train'],
        help='what to keep; default: train',
    )
    _add_common(kind, argparse.SUPPRESS)
    add_cfg_options(kind)


def _add_common(parser: argparse.ArgumentParser, default: Any) -> None:
    add = parser.add_argument
    text = "the folder of all data sets (default: data), or the store's (data/store)"
    add('--out', type=Path, default=default, help=text)
    text = 'threads (default: one a core; 0: none)'
    add('--workers', type=int, default=default, help=text)


def prepare(
    dataset: str,
    archives: Sequence[Path] = (),
    out: Path | None = None,
    *,
    workers: int | None = None,
    **store: Any,
) -> int:
    """Prepare everything; 1 if something is damaged.

    Args:
        dataset: name of a published one, or ``'store'``.
        archives: of a published one.
        out: folder of all data sets, or of the store.
        workers: threads; None takes one a core.
        **store: of :func:`prepare_store`.
    """
    from ..datasets.convert.summary import report_failed
    from ..datasets.prepare import prepare_dataset
    from .progress import progress_bar

    if dataset == STORE:
        return prepare_store(out=out, workers=workers, **store)
    with progress_bar('Preparing') as advance:
        result = prepare_dataset.prepare(
            dataset, archives, out or Path('data'), workers=workers, progress=advance
        )
    for line in report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f'{result.written} files written, {result.kept} were there, '
        f"{len(result.failed)} are broken; the data root is '{result.root}'"
    )
    return 1 if result.failed else 0


def prepare_store(
    config: str,
    out: Path | None = None,
    *,
    data_root: str | None = None,
    parts: Sequence[str] = ('train',),
    workers: int | None = None,
    cfg_options: dict[str, Any] | None = None,
) -> int:
    """Keep what a config reads decoded; 1 if files are broken.

    Args:
        config: path, leaf name or short name.
        out: folder of the store.
        data_root: folder of the data set.
        parts: which of ``train``, ``val`` and ``test``.
        workers: threads; None takes one a core.
        cfg_options: changes to the config.
    """
    from ..catalog import load_config, merge_options
    from ..datasets.convert.summary import report_failed
    from ..datasets.prepare import prepare_store as stores
    from ..datasets.prepare.archives import free_space
    from ..engine.launch import set_data_root
    from .progress import progress_bar

    folder = out or Path('data/store')
    cfg = load_config(config)
    merge_options(cfg, cfg_options or {})
    if data_root:
        set_data_root(cfg, data_root)
    plan = stores.plan_store(cfg, folder, parts, workers)
    print(
        f"{len(plan.pairs)} images take {plan.needed / 1e9:.2f} GB in '{folder}', "
        f'{plan.kept} are there; {free_space(folder) / 1e9:.2f} GB are free',
        flush=True,
    )
    with progress_bar('Decoding') as advance:
        result = stores.write_store(plan, workers, advance)
    for line in report_failed(result.failed):
        print(line, file=sys.stderr)
    print(
        f'{result.written} images stored, {plan.kept} were there, '
        f'{len(result.failed)} are broken'
    )
    print(stores.lines_to_use_it(cfg, config, folder, parts, data_root))
    return 1 if result.failed else 0
