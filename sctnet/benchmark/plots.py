"""Plots of a report: latency against published mIoU, and where the time goes."""

import io
import os

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..files import write_bytes
from .report import Report, Row
from .stages import STAGES

OURS, PEER = 'tab:red', 'tab:blue'


def draw_latency(report: Report, path: str | os.PathLike) -> None:
    """Draw each Cityscapes network's latency against its published mIoU.

    One panel for each backend, batch 1, folded norms where there are. A hollow point
    was run at another size than its mIoU was published for.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    panels: dict[str, dict[str, Row]] = {}
    for row in report.rows:
        published = report.published[row.model]
        if row.reason is None and published.dataset == 'Cityscapes':
            best = panels.setdefault(row.backend, {})
            if row.batch == min(r.batch for r in report.rows):
                known = best.get(row.model)
                if known is None or known.times.median > row.times.median:
                    best[row.model] = row
    figure = Figure(figsize=(7 * max(1, len(panels)), 5), layout='tight')
    for place, (backend, rows) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), place)
        for row in rows.values():
            _draw_point(axes, report, row)
        axes.set_xscale('log')
        axes.set_title(f'{backend}, {report.machine["gpu"] or "CPU"}')
        axes.set_xlabel('median latency, ms (hollow: not at the size of its mIoU)')
        axes.set_ylabel('published mIoU on Cityscapes, %')
        axes.margins(x=0.15)
        axes.grid(which='both', alpha=0.3)
    _write(figure, path)


def _draw_point(axes: Axes, report: Report, row: Row) -> None:
    published = report.published[row.model]
    colour = OURS if published.ours else PEER
    same_size = row.input_size == published.size
    x, y = 1000 * row.times.median, published.miou
    axes.plot(x, y, 'o', color=colour, fillstyle='full' if same_size else 'none')
    axes.annotate(
        row.model,
        (x, y),
        xytext=(5, 4),
        textcoords='offset points',
        fontsize='small',
        color=colour,
        weight='bold' if published.ours else 'normal',
    )


def draw_stages(report: Report, path: str | os.PathLike) -> None:
    """Draw where the time from image to label map goes, a stacked bar for each row.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    rows = [row for row in report.rows if row.reason is None and row.stages]
    figure = Figure(figsize=(9, 1.5 + 0.35 * len(rows)), layout='tight')
    axes = figure.subplots()
    names = ['{} {}x{}, {}'.format(r.model, *r.size, r.backend) for r in rows]
    names = [f'{n}, batch {r.batch}' for n, r in zip(names, rows, strict=True)]
    left = [0.0] * len(rows)
    for stage in STAGES:
        widths = [1000 * row.stage_medians[stage] for row in rows]
        axes.barh(names, widths, left=left, label=stage)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel('ms (sum of the medians of the stages)')
    if rows:
        axes.legend(fontsize='small')
    _write(figure, path)


def _write(figure: Figure, path: str | os.PathLike) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=120)
    write_bytes(path, buffer.getvalue())
