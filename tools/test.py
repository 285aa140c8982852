"""Test a checkpoint; ``mim test sctnet CONFIG --checkpoint FILE`` runs this."""

import argparse

from sctnet import launch, preflight
from sctnet.arguments import add_run_arguments
from sctnet.engine.broken_files import named_if_broken


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_run_arguments(parser)
    parser.add_argument('checkpoint', help='weight file')
    parser.add_argument(
        '--tta', action='store_true', help='average several scales and flips'
    )
    parser.add_argument(
        '--show-dir', help='write pictures of labels and predictions there'
    )
    parser.add_argument('--out', help='write predicted label maps there')
    return parser.parse_args()


def main() -> None:
    """Build the Runner and test."""
    args = parse_args()
    cfg = launch.prepare_config(args)
    cfg.load_from = args.checkpoint
    if args.tta:
        launch.enable_tta(cfg)
    if args.show_dir:
        launch.draw_results(cfg, args.show_dir)
    if args.out:
        launch.save_label_maps(cfg, args.out)
    preflight.check_data(cfg, ('test_dataloader',))

    runner = launch.build_runner(cfg)
    with named_if_broken(lambda: runner.test_dataloader.dataset):
        runner.test()


if __name__ == '__main__':
    launch.run_tool(main)
