"""Test a checkpoint; ``mim test sctnet CONFIG --checkpoint FILE`` runs this."""

import argparse

from sctnet.cli.arguments import add_run_arguments
from sctnet.engine import launch, preflight
from sctnet.evaluation.report import collect_report, write_report


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
    parser.add_argument(
        '--report',
        metavar='DIR',
        help='write a page there: classes, confusions, worst images',
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace the report in DIR'
    )
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
    if args.report:
        collect_report(cfg, args.report, args.overwrite)
    preflight.check_data(cfg, ('test_dataloader',))

    runner = launch.build_runner(cfg)
    runner.test()
    if args.report:
        page = write_report(runner, args.report)
        if page:  # on the main process
            print(f"the report is in '{page}'")


if __name__ == '__main__':
    launch.run_tool(main)
