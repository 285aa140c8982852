"""Try thousands of damaged inputs; print a table, exit with 1 where one broke a rule.

``python tests/faults/run.py --cases 10000 --seed 0`` is the full run; a violation's
KIND and SEED come back with ``--kind KIND --case SEED``.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from contract import Result
from pool import run_all
from registry import counts, kinds

VERDICTS = ('refused', 'accepted', 'own error', 'violation')
STRIDE = 10**7  # seeds of a run's cases: --seed times this and on


def cases_of(total: int, seed: int, names: list[str] | None = None) -> list:
    """(kind, seed) of every case of a run, one kind after another."""
    return [
        (name, seed * STRIDE + i)
        for name, count in counts(total, names).items()
        for i in range(count)
    ]


def run(cases: Iterable, workers: int = 1, seconds: float = 60.0) -> list[Result]:
    """Run ``cases`` and print each violation as it comes."""
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    results = []
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        for result in run_all(cases, Path(folder), workers, seconds):
            results.append(result)
            if result.violations:
                print(describe(result), flush=True)
    return results


def describe(result: Result) -> str:
    """What broke a rule, and how to see it again."""
    why = '; '.join(result.violations)
    again = f"python tests/faults/run.py --kind '{result.kind}' --case {result.seed}"
    return f'{result.kind} {result.seed}: {why}\n  {result.note}\n  {again}'


def table(results: Iterable[Result]) -> str:
    """Cases by kind and verdict, as Markdown."""
    rows = {name: dict.fromkeys(VERDICTS, 0) for name in kinds()}
    for result in results:
        rows[result.kind][result.verdict] += 1
    rows = {name: row for name, row in rows.items() if sum(row.values())}
    total = {v: sum(row[v] for row in rows.values()) for v in VERDICTS}
    lines = [
        '| kind | cases | refused | accepted | own errors | violations |',
        '|---|--:|--:|--:|--:|--:|',
    ]
    for name, row in [*rows.items(), ('all', total)]:
        cells = [name, sum(row.values()), *row.values()]
        lines.append('| ' + ' | '.join(f'{cell}' for cell in cells) + ' |')
    return '\n'.join(lines)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('--cases', type=int, default=10_000)
    add('--seed', type=int, default=0, help='other seed, other cases')
    add('--kind', action='append', choices=list(kinds()), help='may be repeated')
    add('--case', type=int, help='this one case of one --kind, with all that it said')
    add('--workers', type=int, default=1)
    add('--seconds', type=float, default=120.0, help='after which a case hangs')
    args = parser.parse_args()
    cases = cases_of(args.cases, args.seed, args.kind)
    if args.case is not None:
        cases = [(args.kind[0], args.case)]
    start = time.monotonic()
    results = run(cases, args.workers, args.seconds)
    took = time.monotonic() - start
    print(f'\n{table(results)}\n\n{len(results)} cases in {took:.0f} s')
    if args.case is not None:
        print(f'{results[0].note}\n{results[0].said}')
    return 1 if any(result.violations for result in results) else 0


if __name__ == '__main__':
    sys.exit(main())
