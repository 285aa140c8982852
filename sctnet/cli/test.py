"""Measure a checkpoint on the test data of a config.

Examples:
  sctnet test sctnet-s-seg50 work_dirs/mine --data-root data/cityscapes --report page
  sctnet test sctnet-s-seg50 work_dirs/mine --no-labels --out predictions \
    --images data/cityscapes/leftImg8bit/test --labels cityscapes
"""

import argparse
import sys
from typing import Any

from ..errors import ArgumentError, ConfigError
from .arguments import add_labels, add_run_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`test` takes."""
    add_run_arguments(parser)
    add = parser.add_argument
    add('checkpoint', help='weight file, or the work folder of a training')
    add('--tta', action='store_true', help='average several scales and flips')
    add('--show-dir', help='write pictures of labels and predictions there')
    add('--out', metavar='DIR', help='write predicted label maps there')
    add_labels(parser)
    add('--no-labels', action='store_true', help='predict alone, into --out')
    add('--images', metavar='DIR', help='with --no-labels: those of this folder')
    add(
        '--report',
        metavar='DIR',
        help='write a page there: classes, confusions, worst images',
    )
    add('--overwrite', action='store_true', help='replace the report in DIR')
    add(
        '--no-check',
        dest='check',
        action='store_false',
        help='no look at the data set before',
    )


def test(
    config: str,
    checkpoint: str,
    *,
    tta: bool = False,
    show_dir: str | None = None,
    out: str | None = None,
    labels: str | None = None,
    no_labels: bool = False,
    images: str | None = None,
    report: str | None = None,
    overwrite: bool = False,
    check: bool = True,
    **run_options: Any,
) -> int:
    """Test; print and log the metrics. 1 if an image has no prediction.

    ``run_options`` are those of :func:`sctnet.engine.launch.prepare_config`.
    """
    from ..datasets.check import quick_check
    from ..engine import launch, preflight
    from ..engine.runner import Runner
    from ..evaluation import label_maps
    from ..evaluation.report import collect_report, write_report
    from ..weights.segmentor_files import find_segmentor

    _check(out, labels, no_labels, images)
    cfg = launch.prepare_config(config, **run_options)
    cfg.load_from = find_segmentor(checkpoint)
    if tta:
        launch.enable_tta(cfg)
    if show_dir:
        launch.draw_results(cfg, show_dir)
    if out:
        label_maps.save_label_maps(cfg, out, labels or 'index')
    if no_labels:
        label_maps.without_labels(cfg, images)
    if report:
        collect_report(cfg, report, overwrite)
    preflight.check_data(cfg, ('test_dataloader',))
    if check and preflight.is_first_process():
        quick_check(cfg, splits=['test'])

    runner = Runner.from_cfg(cfg)
    runner.skips_broken_images = no_labels
    metric = label_maps.name_label_maps(runner) if out else None
    _measure(runner)
    page = write_report(runner, report) if report else None
    if page:  # on the main process
        print(f"the report is in '{page}'")
    return _summarise(metric, labels or 'index') if metric else 0


def _measure(runner: Any) -> None:
    try:
        runner.test()
    except KeyError as error:
        if error.args != ('gt_sem_seg',):
            raise
        raise ConfigError(
            'the test is to measure, and its pipeline loads no labels: add '
            'LoadAnnotations after Resize, or predict alone with --no-labels --out DIR'
        ) from error


def _check(
    out: str | None, labels: str | None, no_labels: bool, images: str | None
) -> None:
    """Raise an ArgumentError where one option needs another."""
    if no_labels and not out:
        raise ArgumentError(
            '--no-labels measures nothing, it writes predictions: name their folder '
            'with --out DIR'
        )
    if images and not no_labels:
        raise ArgumentError(
            '--images names images that have no labels: add --no-labels, or name a '
            'data set with --data-root'
        )
    if labels and not out:
        raise ArgumentError(
            '--labels is of the label maps that are written: name their folder with '
            '--out DIR'
        )


def _summarise(metric: Any, labels: str) -> int:
    """Print which images have no label map and what the others hold; 1 if any."""
    from ..datasets.label_values import WRITTEN
    from ..evaluation.label_maps import missing_label_maps

    if metric.written is None:  # not the main process
        return 0
    missing = missing_label_maps(metric)
    for message in missing:
        print(f'skipped: {message}', file=sys.stderr)
    print(
        f'{len(metric.written)} of {len(metric.names)} label maps are in '
        f"'{metric.out_dir}', {WRITTEN[labels]} (--labels {labels})"
    )
    return 1 if missing else 0
