"""What ``tools/benchmark.py`` does, callable from Python too."""

import contextlib
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ..errors import ArgumentError
from ..files import atomic_path, write_bytes
from .cases import Case
from .machine import describe_machine
from .markdown import to_markdown
from .measure import SIZE
from .peers import entries, find_entries, published_size
from .plots import draw_latency, draw_stages, draw_training
from .report import Published, Report
from .runs import Settings, describe, run_cases

GROUPS = ('ours', 'peers')


def resolve_models(names: Sequence[str]) -> list[str]:
    """Replace ``ours`` and ``peers`` by the models they stand for.

    Raises:
        ArgumentError: a name is not known.
    """
    found: list[str] = []
    for name in names:
        if name in GROUPS:
            found += [e.name for e in entries().values() if e.ours == (name == 'ours')]
        else:
            found.append(name)
    return [entry.name for entry in find_entries(found)]


def check_settings(settings: Settings, batches: Sequence[int]) -> None:
    """Check numbers and device.

    Raises:
        ArgumentError: one is out of its range.
    """
    ranges = {
        '--repeats': (settings.repeats, 1),
        '--warmup': (settings.warmup, 0),
        '--threads': (settings.threads, 0),
        '--pause': (settings.pause, 0),
        '--batch': (min(batches, default=1), 1),
    }
    for option, (value, least) in ranges.items():
        if value < least:
            raise ArgumentError(f'{option} is {value}: expected at least {least}')
    if settings.device.partition(':')[0] not in SIZE:
        raise ArgumentError(
            f"device '{settings.device}' is not known: expected cpu, cuda or cuda:N"
        )
    if settings.device.startswith('cuda') and not torch.cuda.is_available():
        raise ArgumentError(
            f"device '{settings.device}' cannot be used: torch sees no GPU; install a "
            'torch with CUDA, or pass --device cpu'
        )


def benchmark(
    kind: str,
    cases: Sequence[Case],
    settings: Settings,
    out_dir: str | os.PathLike,
    command: str,
    advance: Callable[[str], None] = lambda text: None,
) -> tuple[list[Path], list[str]]:
    """Measure ``cases`` and write ``KIND.json``, ``KIND.md`` and a plot.

    Args:
        kind: ``network``, ``image`` or ``train``.
        cases: what to measure.
        settings: how.
        out_dir: where the files go.
        command: the command line, for the report.
        advance: told what is done.

    Returns:
        The files, and what could not be run and why.

    Raises:
        OutputError: ``out_dir`` cannot be written.
    """
    out = Path(out_dir)
    with atomic_path(out / '.probe') as probe:  # what cannot be written shows now
        probe.write_bytes(b'')
    (out / '.probe').unlink()
    with contextlib.redirect_stdout(io.StringIO()):  # mmseg prints what it loads
        rows = run_cases(kind, cases, settings, advance)
    published = {
        e.name: Published(e.dataset, e.miou, e.source, e.ours, published_size(e))
        for e in find_entries(case.model for case in cases)
    }
    options = {'command': command, **settings._asdict()}
    machine = describe_machine(settings.device)
    report = Report(kind, machine, options, published, rows)
    report.save(out / f'{kind}.json')
    files = [out / f'{kind}.json', *write_views(report, out)]
    return files, [f'{describe(row)}: {row.reason}' for row in rows if row.reason]


def write_views(report: Report, out: Path) -> list[Path]:
    """Write a report's Markdown and plot; raises :class:`OutputError`."""
    draw, name = {
        'network': (draw_latency, 'network_latency.png'),
        'image': (draw_stages, 'image_stages.png'),
        'train': (draw_training, 'train_stages.png'),
    }[report.kind]
    draw(report, out / name)
    text = to_markdown(report, [name])
    write_bytes(out / f'{report.kind}.md', text.encode())
    return [out / f'{report.kind}.md', out / name]
