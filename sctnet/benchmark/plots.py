"""Plots of a report: latency against published mIoU, and where the time goes."""

import io
import os

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import write_bytes
from .report import Report, Row

OURS, PEER = 'tab:red', 'tab:blue'


def draw_latency(report: Report, path: str | os.PathLike) -> None:
    """Draw each Cityscapes network's latency against its published mIoU.

    One panel for each backend; the smallest batch. A hollow point was run at another
    size than its mIoU was published for.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    panels = _panels(report)
    figure = Figure(figsize=(7 * max(1, len(panels)), 5), layout='tight')
    for place, (backend, rows) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), place)
        for row in rows:
            _draw_point(axes, report, row)
        axes.set_xscale('log')
        axes.xaxis.set_major_formatter('{x:g}')
        axes.xaxis.set_minor_formatter('{x:g}')
        axes.set_title(f'{backend}, {report.machine["gpu"] or "CPU"}')
        axes.set_xlabel('median latency, ms (hollow: not at the size of its mIoU)')
        axes.set_ylabel('published mIoU on Cityscapes, %')
        axes.margins(x=0.15)
        axes.grid(which='both', alpha=0.3)
    _write(figure, path)


def _panels(report: Report) -> dict[str, list[Row]]:
    """Choose the row of each model and backend: its own size if run, the fastest."""
    best: dict[str, dict[str, Row]] = {}

    def rank(row: Row) -> tuple[bool, int, float]:
        other_size = row.input_size != report.published[row.model].size
        return other_size, row.batch, row.median

    for row in sorted(report.done, key=rank):
        if report.published[row.model].dataset == 'Cityscapes':
            best.setdefault(row.backend, {}).setdefault(row.model, row)
    return {backend: list(rows.values()) for backend, rows in best.items()}


def _draw_point(axes: Axes, report: Report, row: Row) -> None:
    published = report.published[row.model]
    colour = OURS if published.ours else PEER
    same_size = row.input_size == published.size
    x, y = 1000 * row.median, published.miou
    axes.plot(x, y, 'o', color=colour, fillstyle='full' if same_size else 'none')
    text = axes.annotate(row.model, (x, y), (5, 4), textcoords='offset points')
    text.set(fontsize='small', color=colour)


def draw_stages(report: Report, path: str | os.PathLike) -> None:
    """Draw where each row's time goes and, of training, its peak memory beside it.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    rows = [row for row in report.done if row.stages]
    figure = Figure(figsize=(12, 1.5 + 0.35 * len(rows)), layout='tight')
    if report.kind != 'train':
        _draw_bars(figure.subplots(), rows)
    else:
        times, memory = figure.subplots(1, 2, width_ratios=(3, 1), sharey=True)
        names = _draw_bars(times, rows)
        memory.barh(
            names, [(row.memory or 0) / 2**20 for row in rows], color='tab:grey'
        )
        memory.set_xlabel('peak memory, MiB')
    _write(figure, path)


def _draw_bars(axes: Axes, rows: list[Row]) -> list[str]:
    names = [str(row.case) for row in rows]
    left = [0.0] * len(rows)
    for stage in rows[0].stage_medians if rows else ():
        widths = [1000 * row.stage_medians[stage] for row in rows]
        axes.barh(names, widths, left=left, label=stage)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel('ms (sum of the medians of the stages)')
    if rows:
        axes.legend(loc='lower center', bbox_to_anchor=(0.5, 1), ncols=4)
    return names


def _write(figure: Figure, path: str | os.PathLike) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=120)
    write_bytes(path, buffer.getvalue())
