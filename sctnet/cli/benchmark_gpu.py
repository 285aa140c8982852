"""Is sctnet right on this GPU, and what does it cost there?

Two halves of at most six minutes each. Every fact is a line of JSON, written at once;
a table and a plot of latency against published mIoU follow. What was wrong, or did not
fit into the time, is named at the end, and the exit status is then 1.

Example:
  sctnet benchmark gpu --half 1
  sctnet benchmark gpu --only steps networks --against ../sctnet-before
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

FILE = 'gpu.jsonl'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what :func:`benchmark_gpu` takes."""
    add = parser.add_argument
    add('--half', type=int, choices=(1, 2), help='default: both')
    add('--only', nargs='+', metavar='SECTION', default=(), help='default: all')
    add('--skip', nargs='+', metavar='SECTION', default=())
    add('--seconds', type=float, default=360, help='for each half; default: 360')
    add('--device', default='cuda', help="'cuda', 'cuda:1' or 'cpu'")
    add('--small', action='store_true', help='try all of it in a minute; so is a CPU')
    add(
        '--against',
        type=Path,
        metavar='FOLDER',
        help='of another checkout of sctnet, which takes turns with this one',
    )
    add(
        '--report',
        type=Path,
        metavar='FILE.jsonl',
        help='measure nothing: write the table and the plot of earlier facts',
    )
    add('--out', type=Path, default=Path('benchmarks'), help='folder')


def benchmark_gpu(
    *,
    half: int | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    seconds: float = 360,
    device: str = 'cuda',
    small: bool = False,
    against: Path | None = None,
    report: Path | None = None,
    out: Path = Path('benchmarks'),
) -> int:
    """Run the check; return 1 if something was wrong or did not fit into the time.

    Args:
        half: 1 or 2; both by default.
        only: names of sections; all by default.
        skip: names of sections.
        seconds: for each half.
        device: where.
        small: with little data and small networks.
        against: the folder of another checkout.
        report: facts to write a report of; then nothing is run.
        out: folder for the files.

    Raises:
        ArgumentError: a section is not known, or the device is not there.
        DataError: ``report`` holds no facts.
        OutputError: ``out`` cannot be written.
    """
    from ..benchmark.gpu.report import read_facts, write_report
    from ..files import check_writable

    file, wrong, skipped = report or out / FILE, [], []
    if report is None:
        from ..benchmark.command import check_device
        from ..benchmark.gpu.check import HALVES, choose, run_halves
        from ..benchmark.gpu.in_turns import find_copy
        from ..benchmark.gpu.place import Place
        from ..benchmark.gpu.record import Record

        check_device(device)
        halves = choose(only, skip, (half,) if half else HALVES)
        copy = find_copy(against) if against else None
        check_writable(out, '--out')
        out.mkdir(parents=True, exist_ok=True)
        record = Record(file.absolute())
        place = Place(device, small=small or device == 'cpu')
        run_halves(halves, seconds, place, record, copy)
        wrong, skipped = record.wrong, record.skipped
    files = write_report(read_facts(file), out / file.stem)
    for what, names in (('wrong', wrong), ('not run for want of time', skipped)):
        for name in names:
            print(f'{what}: {name}', file=sys.stderr)
    print('written: ' + ', '.join(map(str, dict.fromkeys([file, *files]))))
    return 1 if wrong or skipped else 0
