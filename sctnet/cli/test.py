"""Measure a checkpoint on the test data of a config.

Example:
  sctnet test sctnet-s-seg50 work_dirs/mine --data-root data/cityscapes --report page
"""

import argparse
from typing import Any

from .arguments import add_run_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`test` takes."""
    add_run_arguments(parser)
    add = parser.add_argument
    add('checkpoint', help='weight file, or the work folder of a training')
    add('--tta', action='store_true', help='average several scales and flips')
    add('--show-dir', help='write pictures of labels and predictions there')
    add('--out', help='write predicted label maps there')
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
    report: str | None = None,
    overwrite: bool = False,
    check: bool = True,
    **run_options: Any,
) -> None:
    """Test; print and log the metrics.

    ``run_options`` are those of :func:`sctnet.engine.launch.prepare_config`.
    """
    from ..datasets.check import quick_check
    from ..engine import launch, preflight
    from ..engine.runner import Runner
    from ..evaluation.report import collect_report, write_report
    from ..weights.segmentor_files import find_segmentor

    cfg = launch.prepare_config(config, **run_options)
    cfg.load_from = find_segmentor(checkpoint)
    if tta:
        launch.enable_tta(cfg)
    if show_dir:
        launch.draw_results(cfg, show_dir)
    if out:
        launch.save_label_maps(cfg, out)
    if report:
        collect_report(cfg, report, overwrite)
    preflight.check_data(cfg, ('test_dataloader',))
    if check and preflight.is_first_process():
        quick_check(cfg, splits=['test'])

    runner = Runner.from_cfg(cfg)
    runner.test()
    page = write_report(runner, report) if report else None
    if page:  # on the main process
        print(f"the report is in '{page}'")
