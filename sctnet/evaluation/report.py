"""Writes the report of a test: one page to look at, and its figures as JSON."""

import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner

from ..datasets.from_config import datasets_of
from ..engine.launch import evaluators_of
from ..errors import DataError, OutputError
from ..files import check_writable, write_bytes
from .confusion import Figures, figures_of, top_confusions
from .html_page import write_page
from .report_metric import NO_LABELS, ReportMetric, Results
from .report_pictures import draw_heat_map, draw_panels

PAGE, DATA = 'index.html', 'report.json'
MOST_NUMBERED = 30  # classes whose confusion matrix has numbers
CONFUSIONS = 15


def collect_report(
    cfg: Config, folder: str | os.PathLike, overwrite: bool = False
) -> None:
    """Add to ``cfg`` what collects a test's report, once ``folder`` may take it.

    Raises:
        DataError: the test set has no labels.
        OutputError: ``folder`` cannot be written, or has a report already and
            ``overwrite`` is false.
    """
    _check_labels(cfg)
    for name in (PAGE, DATA):
        if (Path(folder) / name).exists() and not overwrite:
            raise OutputError(
                f"'{folder}' has a file {name} already: name another folder with "
                '--report, or replace it with --overwrite'
            )
    evaluators = evaluators_of(cfg)
    # By name: mmengine cannot print a class that was put into a config later.
    ours = {'type': 'ReportMetric'}
    for evaluator in evaluators:
        for option in ('ignore_index', 'nan_to_num'):
            if option in evaluator:
                ours[option] = evaluator[option]
    cfg.test_evaluator = [*evaluators, ours]
    check_writable(folder, '--report')


def _check_labels(cfg: Config) -> None:
    """Raise a DataError where the config shows that its test set has no labels."""
    what = None
    if any(evaluator.get('format_only') for evaluator in evaluators_of(cfg)):
        what = 'test_evaluator.format_only=True says that there are none'
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        prefix = dataset.get('data_prefix') or {}
        if 'img_path' in prefix and prefix.get('seg_map_path') is None:
            what = f"the data set of '{prefix['img_path']}' has no seg_map_path"
        pipeline = dataset.get('pipeline')
        if pipeline and not re.search('Annotation|Label|Mask', repr(pipeline)):
            what = 'the test pipeline loads none (LoadAnnotations)'
    if what:
        raise DataError(NO_LABELS.format(what=what))


def write_report(runner: Runner, folder: str | os.PathLike) -> Path | None:
    """Write the report of a test that ``runner`` has done.

    Args:
        runner: after ``test()``, of a config that :func:`collect_report` has changed.
        folder: gets ``index.html`` and ``report.json``.

    Returns:
        The page's path; None in processes other than the main one.

    Raises:
        OutputError: ``folder`` cannot be written.
    """
    metrics = runner.test_evaluator.metrics
    found = next(m for m in metrics if isinstance(m, ReportMetric)).found
    if found is None:  # not the main process
        return None
    dataset = next(datasets_of(runner.cfg, ('test_dataloader',)))
    facts = {
        'config': Path(str(runner.cfg.filename)).name,
        'checkpoint': str(runner.cfg.load_from),
        'data': str(dataset.get('data_root')),
    }
    return write_results(found, folder, facts)


def write_results(
    found: Results, folder: str | os.PathLike, facts: Mapping[str, str]
) -> Path:
    """Write page and figures of ``found``; return the page's path.

    Args:
        found: what the metric collected.
        folder: gets ``index.html`` and ``report.json``.
        facts: name and value of what the page says was tested.

    Raises:
        OutputError: ``folder`` cannot be written.
    """
    figures = figures_of(found.matrix, found.nan_to_num)
    data = json.dumps(as_json(found, figures, facts), indent=1, allow_nan=False)
    write_bytes(Path(folder) / DATA, data.encode())
    path = Path(folder) / PAGE
    _write_page(found, figures, facts, path)
    return path


def as_json(
    found: Results, figures: Figures, facts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the figures as what ``json`` can write: percent, and None for NaN."""
    columns = {
        'IoU': figures.iou,
        'Acc': figures.class_accuracy,
        'truth_share': figures.truth_share,
        'predicted_share': figures.predicted_share,
    }
    return {
        **facts,
        **{name: _finite(value) for name, value in _means(figures).items()},
        'classes': [
            {'name': name, **{k: _finite(column[i]) for k, column in columns.items()}}
            for i, name in enumerate(found.classes)
        ],
        # Rows are true classes; the last row and column are labels that are no class.
        'confusion': found.matrix.tolist(),
        'images': [
            {'path': r.path, 'mIoU': _finite(r.miou), 'aAcc': _finite(r.accuracy)}
            for r in found.images
        ],
    }


def _means(figures: Figures) -> dict[str, float]:
    return {
        'mIoU': figures.mean_iou,
        'mAcc': figures.mean_accuracy,
        'aAcc': figures.accuracy,
    }


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


def _write_page(
    found: Results, figures: Figures, facts: Mapping[str, str], path: Path
) -> None:
    """Fill the template with what a reader looks at first at the top."""
    size = len(found.classes)
    with np.errstate(invalid='ignore'):
        shares = found.matrix[:size, :size] / found.matrix[:size].sum(1, keepdims=True)
    largest = max(figures.truth_share.max(), figures.predicted_share.max(), 1e-9)
    best_first = np.where(np.isnan(figures.iou), np.inf, -figures.iou)
    write_page(
        'report.html',
        path,
        title='Test report',
        facts=facts,
        found=found,
        figures=figures,
        means=_means(figures),
        outside=int(found.matrix[-1].sum()),
        order=np.argsort(best_first, kind='stable').tolist(),
        largest_share=largest,
        confusions=top_confusions(found.matrix, found.classes, CONFUSIONS),
        shares=shares,
        heat_map=draw_heat_map(shares) if size > MOST_NUMBERED else None,
        worst=[(image, draw_panels(image, found.palette)) for image in found.worst],
    )
