"""Train a config; ``mim train sctnet CONFIG`` runs this."""

import argparse

from sctnet.cli.arguments import add_training_arguments
from sctnet.datasets.check import quick_check
from sctnet.engine import launch, preflight


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_training_arguments(parser)
    parser.add_argument(
        '--teacher', metavar='FILE', help='weights of the teacher, or its work folder'
    )
    parser.add_argument(
        '--no-check', action='store_true', help='no look at the data set before'
    )
    return parser.parse_args()


def main() -> None:
    """Build the Runner and train."""
    args = parse_args()
    cfg = launch.prepare_config(args)
    launch.set_resume(cfg, args.resume)
    if args.teacher:
        launch.set_teacher(cfg, args.teacher)
    if args.amp:
        launch.enable_amp(cfg)
    preflight.check_batch_size(cfg)
    launch.check_teacher(cfg)
    preflight.check_data(cfg, ('train_dataloader', 'val_dataloader'))
    if not args.no_check and preflight.is_first_process():
        quick_check(cfg)

    launch.build_runner(cfg).train()


if __name__ == '__main__':
    launch.run_tool(main)
