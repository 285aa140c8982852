"""Draws the curves of one training or several: losses, learning rate, validation."""

import fnmatch
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, DataError
from ..files import write_bytes

Scalars = dict[str, list[tuple[int, float]]]
FORMATS = ('.png', '.svg', '.pdf')
# In the order of the panels; what else a log holds (times, memory) when asked for.
TERMS = (
    *('loss', 'decode.*', 'aux*.*', 'siam.*', 'lr', 'grad_norm'),
    *('mIoU', 'mAcc', 'aAcc'),
)
COLUMNS = 4, 3  # of panels; those that leave fewer places empty
FEW = 20  # points that are marked, and not smoothed


def read_scalars(work_dir: str | os.PathLike) -> Scalars:
    """Return what a training logged: name to pairs of iteration and value.

    All runs in ``work_dir`` count, so that a resumed training is one curve.

    Raises:
        DataError: there is no log, or an empty one.
    """
    folder = Path(work_dir) if os.path.isdir(work_dir) else None
    logs = sorted(folder.glob('*/vis_data/scalars.json')) if folder else []
    if not logs:
        raise DataError(
            f"'{work_dir}' holds no log of a training (*/vis_data/scalars.json): name "
            'the folder that --work-dir named'
        )
    points: dict[str, dict[int, float]] = {}
    for log in logs:
        iteration = 0
        for line in log.read_text(encoding='utf-8', errors='replace').splitlines():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):  # what a killed run was writing
                continue
            step = entry.get('step', 0) if isinstance(entry, dict) else None
            if not isinstance(step, int):
                continue
            if isinstance(entry.get('iter'), int) and entry['iter'] > 0:
                iteration = step
            elif step < iteration:  # log_metric_by_epoch counts epochs
                step = iteration
            for name, value in entry.items():
                # An integer of hundreds of digits is no number that can be drawn.
                if isinstance(value, float) or (type(value) is int and value < 2**63):
                    points.setdefault(name, {})[step] = value
    if not points:
        raise DataError(
            f"the log of '{work_dir}' is empty: leave it out, or wait until it has "
            'trained for some iterations'
        )
    return {name: sorted(values.items()) for name, values in points.items()}


def name_runs(work_dirs: Sequence[str | os.PathLike]) -> dict[str, Path]:
    """Return a name for each training's folder: the last part of it if that tells."""
    paths = [Path(folder) for folder in work_dirs]
    names = [path.resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return dict(zip(names, paths, strict=True))


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Return the running mean of ``values``, each next one of 1 - ``weight``.

    The first values count as much as what they are the mean of; NaN stays where it is
    and counts nothing.
    """
    total, known, result = 0.0, 0.0, []
    for value in values:
        if not math.isfinite(value):
            result.append(math.nan)
            continue
        total = weight * total + (1 - weight) * value
        known = weight * known + (1 - weight)
        result.append(total / known)
    return result


def draw_curves(
    work_dirs: Mapping[str, str | os.PathLike],
    path: str | os.PathLike,
    terms: Sequence[str] = TERMS,
    smoothing: float = 0.0,
) -> None:
    """Draw what trainings logged, one panel for each term, one colour for each run.

    Args:
        work_dirs: name of each training to its folder.
        path: where the picture goes, PNG, SVG or PDF by its suffix; written whole or
            not at all.
        terms: patterns of names in the log, such as ``'siam.*'``.
        smoothing: from 0 to below 1, as :func:`smooth` takes it; the values themselves
            are then faint. Few points, as of validation, are left as they are.

    Raises:
        ArgumentError: suffix or smoothing are out of range, or no term is in a log.
        DataError: a folder holds no log, or an empty one.
        OutputError: ``path`` cannot be written.
    """
    from matplotlib.figure import Figure

    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise ArgumentError(
            f"'{path}' has no suffix of a picture: expected one of {', '.join(FORMATS)}"
        )
    if not 0 <= smoothing < 1:
        raise ArgumentError(f'smoothing is {smoothing}: expected 0 to below 1, as 0.9')
    runs = {name: read_scalars(folder) for name, folder in work_dirs.items()}
    names = _choose(runs, terms)
    columns = min(min(COLUMNS, key=lambda c: -len(names) % c), len(names))
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4 * columns, 2.9 * rows + 0.5), layout='constrained')
    for place, term in enumerate(names, start=1):
        axes = figure.add_subplot(rows, columns, place)
        for number, (name, scalars) in enumerate(runs.items()):
            if term in scalars:
                weight = 0.0 if term == 'lr' else smoothing  # it is smooth already
                _plot(axes, scalars[term], f'C{number}', weight, label=name)
        axes.set_title(term, fontsize='medium')
        axes.grid(alpha=0.25)
        if place > len(names) - columns:
            axes.set_xlabel('iteration')
    _add_legend(figure, list(runs))
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix[1:], dpi=110)
    write_bytes(path, buffer.getvalue())


def _choose(runs: Mapping[str, Scalars], terms: Sequence[str]) -> list[str]:
    """Return the logged names that match, in the order of ``terms``."""
    known = {name: None for scalars in runs.values() for name in scalars}
    known.pop('step', None)
    names: dict[str, None] = {}
    for term in terms:
        names.update(dict.fromkeys(fnmatch.filter(known, term)))
    if not names:
        raise ArgumentError(
            f'no logged value is called {" or ".join(terms)}: choose --terms from '
            f'{", ".join(known)}'
        )
    return list(names)


def _plot(
    axes: Any, points: list[tuple[int, float]], colour: str, smoothing: float, **kw: Any
) -> None:
    """Plot one curve; points stand out where there are few."""
    steps, values = zip(*points, strict=True)
    style: dict[str, Any] = {'color': colour, 'linewidth': 1.2, **kw}
    if len(points) <= FEW:
        axes.plot(steps, values, marker='o', markersize=3, **style)
    elif smoothing:
        axes.plot(steps, values, **{**style, 'alpha': 0.25, 'label': None})
        axes.plot(steps, smooth(values, smoothing), **style)
    else:
        axes.plot(steps, values, **style)


def _add_legend(figure: Any, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color=f'C{i}', label=name) for i, name in enumerate(names)]
    figure.legend(handles=lines, loc='outside upper left', ncols=3, frameon=False)
