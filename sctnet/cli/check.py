"""Read every image and label map of a config, and say what would go wrong.

Example:
  sctnet check my_config.py --html page.html
"""

import argparse
from pathlib import Path
from typing import Any

from .arguments import add_cfg_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`check` takes."""
    add = parser.add_argument
    add('config', help='path, leaf name or short name of a config')
    add('--data-root', help='folder of the data set')
    add('--workers', type=int, metavar='N', help='threads (default: one a core)')
    add('--quick', type=int, metavar='N', help='only N pairs of each part')
    add('--html', type=Path, metavar='FILE', help='write a page with plots and samples')
    add('--json', type=Path, metavar='FILE', help='write all figures and faults')
    add('--strict', action='store_true', help='exit with 1 for warnings, too')
    add_cfg_options(parser)


def check(
    config: str,
    *,
    data_root: str | None = None,
    workers: int | None = None,
    quick: int | None = None,
    html: Path | None = None,
    json: Path | None = None,
    strict: bool = False,
    cfg_options: dict[str, Any] | None = None,
) -> int:
    """Check; 0 if all is well, 1 with faults."""
    from ..catalog import load_config, merge_options
    from ..datasets.check import check_config
    from ..datasets.check.pairs import ALL
    from ..datasets.check.report import print_summary, write_json
    from ..engine.launch import set_data_root
    from ..evaluation.dataset_page import write_dataset_page
    from .progress import progress_bar

    cfg = load_config(config)
    merge_options(cfg, cfg_options or {})
    if data_root:
        set_data_root(cfg, data_root)
    with progress_bar('Reading') as advance:
        result = check_config(cfg, workers, quick, advance, ALL)
    print_summary(result)
    if json:
        write_json(result, json)
    if html:
        write_dataset_page(result, f'Data set of {Path(config).stem}', html)
        print(f"the page is '{html}'")
    return 1 if result.serious or (strict and result.warnings) else 0
