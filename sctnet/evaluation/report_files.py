"""The report of a test: one page to look at, and its figures as JSON."""

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

from ..engine.preflight import datasets_of
from ..errors import DataError, OutputError
from ..files import check_writable, write_bytes
from .confusion import Figures, figures_of, top_confusions
from .heat_map import draw_heat_map
from .report_metric import NO_LABELS, ImageResult, Results, found_by
from .report_page import ReportPage
from .worst_images import draw_panels

PAGE, DATA = 'index.html', 'report.json'
MOST_NUMBERED = 30  # classes whose confusion matrix has numbers
CONFUSIONS = 15
LEGEND = 24  # classes named below an image


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
    evaluators = _evaluators(cfg)
    # By name: mmengine cannot print a class that was put into a config later.
    ours = {'type': 'ReportMetric'}
    for evaluator in evaluators:
        for option in ('ignore_index', 'nan_to_num'):
            if option in evaluator:
                ours[option] = evaluator[option]
    cfg.test_evaluator = [*evaluators, ours]
    check_writable(folder, '--report')


def _evaluators(cfg: Config) -> list[Any]:
    evaluators = cfg.test_evaluator
    return list(evaluators) if isinstance(evaluators, list | tuple) else [evaluators]


def _check_labels(cfg: Config) -> None:
    """Raise a DataError where the config shows that its test set has no labels."""
    what = None
    if any(evaluator.get('format_only') for evaluator in _evaluators(cfg)):
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
    found = found_by(runner.test_evaluator.metrics)
    if found is None:
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
    build_page(found, figures, facts).write(path)
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


def build_page(
    found: Results, figures: Figures, facts: Mapping[str, str]
) -> ReportPage:
    """Return the page of ``found``, which refers to nothing outside of it."""
    page = ReportPage('Test report', found.classes, found.palette)
    page.table(['tested', ''], facts.items())
    page.scores(list(_means(figures).items()))
    page.paragraph(
        f'{len(found.images)} images, {found.matrix.sum():,} labelled pixels, '
        f'{len(found.classes)} classes; all figures in percent.'
    )
    outside = int(found.matrix[-1].sum())
    if outside:
        page.paragraph(
            f'{outside:,} pixels have a label outside the classes; whatever is '
            'predicted there counts as wrong. Check the label maps.',
            kind='bad',
        )
    page.heading('Classes')
    page.class_bars(
        figures.iou,
        figures.class_accuracy,
        figures.truth_share,
        figures.predicted_share,
    )
    _add_confusions(page, found)
    _add_worst(page, found)
    return page


def _add_confusions(page: ReportPage, found: Results) -> None:
    page.heading('Confusions')
    top = top_confusions(found.matrix, found.classes, CONFUSIONS)
    if not top:
        page.paragraph('No class was taken for another.', kind='good')
        return
    page.table(
        ['truth', 'taken for', 'pixels', 'of the true class, %'],
        [[c.truth, c.prediction, c.pixels, c.share] for c in top],
    )
    size = len(found.classes)
    with np.errstate(invalid='ignore'):
        shares = found.matrix[:size, :size] / found.matrix[:size].sum(1, keepdims=True)
    if size <= MOST_NUMBERED:
        page.paragraph(
            'Rows are true classes, columns predicted ones: percent of the true '
            "class's pixels."
        )
        page.confusion_table(shares)
    else:
        page.picture(
            draw_heat_map(shares),
            'Rows are true classes, columns predicted ones, by their numbers in the '
            "table of classes: share of the true class's pixels, right in blue, wrong "
            'in orange.',
        )


def _add_worst(page: ReportPage, found: Results) -> None:
    if not found.worst:
        return
    page.heading('Worst images')
    page.paragraph(
        'Those of the lowest mean IoU over the classes that are in their labels.'
    )
    for result in found.worst:
        _add_image(page, result, found)


def _add_image(page: ReportPage, result: ImageResult, found: Results) -> None:
    panels = draw_panels(result, found.palette)
    title = f'{result.path}: mIoU {result.miou:.2f}, accuracy {result.accuracy:.2f}'
    page.panels(title, panels.pictures, panels.wide)
    page.legend(panels.present[:LEGEND])
