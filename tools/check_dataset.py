"""Read every image and label map of a config, and say what would go wrong."""

import argparse
from pathlib import Path

from sctnet.catalog import load_config
from sctnet.cli.arguments import add_cfg_options
from sctnet.cli.progress import progress_bar
from sctnet.datasets.check import check_config
from sctnet.datasets.check.report import print_summary, write_json
from sctnet.engine.launch import merge_options, run_tool, set_data_root
from sctnet.evaluation.dataset_page import write_dataset_page


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', help='path, leaf name or short name of a config')
    add('--data-root', help='folder of the data set')
    add('--workers', type=int, metavar='N', help='threads (default: one a core)')
    add('--quick', type=int, metavar='N', help='only N pairs of each part')
    add('--html', type=Path, metavar='FILE', help='write a page with plots and samples')
    add('--json', type=Path, metavar='FILE', help='write all figures and faults')
    add('--strict', action='store_true', help='exit with 1 for warnings, too')
    add_cfg_options(parser)
    return parser.parse_args()


def main() -> int:
    """Check; 0 if all is well, 1 with faults."""
    args = parse_args()
    cfg = load_config(args.config)
    merge_options(cfg, args.cfg_options)
    if args.data_root:
        set_data_root(cfg, args.data_root)
    with progress_bar('Reading') as advance:
        result = check_config(cfg, args.workers, args.quick, advance)
    print_summary(result)
    if args.json:
        write_json(result, args.json)
    if args.html:
        write_dataset_page(result, f'Data set of {Path(args.config).stem}', args.html)
        print(f"the page is '{args.html}'")
    return 1 if result.serious or (args.strict and result.warnings) else 0


if __name__ == '__main__':
    run_tool(main)
