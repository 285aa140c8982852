"""Pictures of a training: its curves, and what teacher and student make of images."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .errors import DataError
from .files import write_bytes
from .overlay import draw_overlay

Scalars = dict[str, list[tuple[int, float]]]


def read_scalars(work_dir: str | os.PathLike) -> Scalars:
    """Return what a training logged: name to pairs of iteration and value.

    All runs in ``work_dir`` count, so that a resumed training is one curve.

    Raises:
        DataError: there is no log.
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
        for line in log.read_text(errors='replace').splitlines():
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):  # what a killed run was writing
                continue
            step = entry.get('step', 0) if isinstance(entry, dict) else None
            if not isinstance(step, int):
                continue
            for name, value in entry.items():
                # An integer of hundreds of digits is no number that can be drawn.
                if isinstance(value, float) or (type(value) is int and value < 2**63):
                    points.setdefault(name, {})[step] = value
    return {name: sorted(values.items()) for name, values in points.items()}


def draw_curves(
    work_dirs: Mapping[str, str | os.PathLike], path: str | os.PathLike
) -> None:
    """Draw cross entropy, alignment losses and mIoU of trainings into one PNG.

    Args:
        work_dirs: name of each training to its folder.
        path: where the picture goes; written whole or not at all.

    Raises:
        DataError: a folder holds no log.
        OutputError: ``path`` cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4), layout='tight')
    entropy, alignment, miou = figure.subplots(1, 3)
    for name, folder in work_dirs.items():
        scalars = read_scalars(folder)
        _plot(entropy, scalars.get('decode.loss_ce', []), name)
        _plot(miou, scalars.get('mIoU', []), name, marker='o')
        for term, points in scalars.items():
            if term.startswith('siam.loss_'):
                label = term.removeprefix('siam.loss_')
                taught = f'{name} {label}' if len(work_dirs) > 2 else label
                _plot(alignment, points, taught)
    titles = ('cross entropy', 'alignment losses (weighted)', 'validation mIoU')
    for axes, title in zip((entropy, alignment, miou), titles, strict=True):
        axes.set_title(title)
        axes.set_xlabel('iteration')
        axes.set_ylim(bottom=0)
        if axes.lines:
            axes.legend(fontsize='small')
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=120)
    write_bytes(path, buffer.getvalue())


def _plot(axes: Any, points: list[tuple[int, float]], name: str, **style: Any) -> None:
    if points:
        axes.plot(*zip(*points, strict=True), label=name, **style)


def draw_comparison(
    image: np.ndarray,
    label_maps: Mapping[str, np.ndarray],
    palette: Sequence[Sequence[int]],
    path: str | os.PathLike,
) -> None:
    """Draw an image and the label maps that different sources give it, side by side.

    Args:
        image: BGR uint8 (H, W, 3).
        label_maps: title to label map (H, W); 255 stays black.
        palette: RGB of each class.
        path: where the PNG goes; written whole or not at all.

    Raises:
        OutputError: ``path`` cannot be written.
    """
    black = np.zeros_like(image)
    panels = {'image': image}
    for title, label_map in label_maps.items():
        panels[title] = draw_overlay(black, label_map, palette, opacity=1.0)
    titled = [_with_title(panel, title) for title, panel in panels.items()]
    rows = [titled[i : i + 2] for i in range(0, len(titled), 2)]
    if len(rows[-1]) == 1:
        rows[-1].append(np.full_like(titled[0], 255))
    picture = np.vstack([np.hstack(row) for row in rows])
    write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())


def _with_title(panel: np.ndarray, title: str) -> np.ndarray:
    bar = np.full((24, panel.shape[1], 3), 255, np.uint8)
    cv2.putText(
        bar, title, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA
    )
    return np.vstack([bar, panel])
