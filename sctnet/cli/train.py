"""Train a config: a student with its teacher, or any network of mmseg's.

Examples:
  sctnet train sctnet-s-ade --teacher segformer.pth --data-root data/ade
  sctnet train my_config.py --from work_dirs/another
"""

import argparse
from typing import Any

from .arguments import add_training_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`train` takes."""
    add_training_arguments(parser)
    parser.add_argument(
        '--teacher', metavar='FILE', help='weights of the teacher, or its work folder'
    )
    parser.add_argument(
        '--from',
        dest='start',
        metavar='FILE',
        help='fine-tune: start from what fits of these weights, or of a work folder',
    )
    parser.add_argument(
        '--no-check',
        dest='check',
        action='store_false',
        help='no look at the data set before',
    )


def train(
    config: str,
    *,
    resume: str | None = None,
    start: str | None = None,
    amp: bool = False,
    teacher: str | None = None,
    check: bool = True,
    **run_options: Any,
) -> None:
    """Train.

    Args:
        config: path, leaf name or short name.
        resume: a checkpoint, or ``'auto'`` for the work folder's newest.
        start: weights to fine-tune, of which all that fits is kept (``--from``): a
            file, a URL or a work folder.
        amp: in mixed precision.
        teacher: weights of the teacher, or its work folder.
        check: look at the data set before.
        **run_options: of :func:`sctnet.engine.launch.prepare_config`.
    """
    from ..datasets.check import quick_check
    from ..engine import launch, preflight
    from ..engine.runner import Runner
    from ..engine.training_length import check_counting

    cfg = launch.prepare_config(config, **run_options)
    check_counting(cfg)
    launch.set_start(cfg, start, resume)
    launch.set_resume(cfg, resume)
    if teacher:
        launch.set_teacher(cfg, teacher)
    if amp:
        launch.enable_amp(cfg)
    launch.check_teacher(cfg)
    if check:
        preflight.check_data(cfg, ('train_dataloader', 'val_dataloader'))
        if preflight.is_first_process():
            quick_check(cfg)
    Runner.from_cfg(cfg).train()
