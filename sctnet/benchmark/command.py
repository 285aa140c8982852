"""Measure cases and write the report: what the command line does, for Python too."""

import contextlib
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ..errors import ArgumentError
from ..files import check_writable, write_bytes
from .case import Case
from .machine import describe_machine
from .markdown import to_markdown
from .models import find_entries
from .plots import draw_latency, draw_stages
from .report import Report
from .runs import Settings, run_cases


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
    check_device(settings.device)


def check_device(device: str) -> None:
    """Check that torch has ``device``; raises ArgumentError."""
    count = torch.cuda.device_count()
    if device.startswith('cuda') and not count:
        raise ArgumentError(
            f"device '{device}' cannot be used: torch sees no GPU; install a "
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
    check_writable(out, '--out')
    with contextlib.redirect_stdout(io.StringIO()):  # mmseg prints what it loads
        rows = run_cases(kind, cases, settings, advance)
    published = {e.name: e.published for e in find_entries(c.model for c in cases)}
    options = {'command': command, **settings._asdict()}
    machine = describe_machine(settings.device)
    report = Report(kind, machine, options, published, rows)
    report.save(out / f'{kind}.json')
    files = [out / f'{kind}.json', *write_views(report, out)]
    return files, [f'{row.case}: {row.reason}' for row in rows if row.reason]


def write_views(report: Report, out: Path) -> list[Path]:
    """Write a report's Markdown and plot; raises :class:`OutputError`."""
    latency = report.kind == 'network'
    name = 'network_latency.png' if latency else f'{report.kind}_stages.png'
    (draw_latency if latency else draw_stages)(report, out / name)
    text = to_markdown(report, [name])
    write_bytes(out / f'{report.kind}.md', text.encode())
    return [out / f'{report.kind}.md', out / name]
