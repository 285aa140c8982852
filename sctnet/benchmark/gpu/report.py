"""The facts of a check as tables and, of networks, a plot of latency against mIoU."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import write_bytes
from ..markdown import table
from ..models import Published
from ..plots import draw_latency
from ..report import Report, Row
from .place import Facts

TITLES = {
    'resume': 'Resumed in its middle, against a training without a break',
    'loader': 'The data loader',
    'compiled': 'Compiled',
    'largest_batch': 'The largest batch that fits',
    'parity': 'Losses and gradients of a step, against float64 on a CPU',
    'amp': 'Steps of AdamW on one batch',
    'operations': 'Operations of an iteration',
    'steps': 'A training step',
    'images': 'An image in memory to its label map',
    'labels': 'From logits to a label map',
    'networks': 'Networks alone, one image',
}
# What a column need not say again, or what is too long for one.
LEFT_OUT = ('section', 'case', 'commit', 'model', 'way', 'size', 'dataset', 'off')
NOTE = (
    'Weights are random. Single ms is the median of calls that each waited for the '
    'GPU; in a row nothing waits between calls. Parts that are off are norms of '
    'differences by norms. Published mIoU is quoted, not measured.'
)


def read_facts(file: Path) -> list[Facts]:
    """Read lines of facts.

    Raises:
        DataError: there is no such file, or a line is not one.
    """
    if not file.is_file():
        raise DataError(
            f"there is no file '{file}' to report: name the gpu.jsonl of a run of "
            "'sctnet benchmark gpu'"
        )
    found = []
    lines = file.read_text(encoding='utf-8', errors='replace').splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
        except ValueError:
            facts = None
        if not isinstance(facts, dict) or not {'section', 'commit'} <= facts.keys():
            raise DataError(
                f"line {number} of '{file}' is no fact of 'sctnet benchmark gpu', "
                'perhaps cut off when its process ended: delete the line'
            )
        found.append(facts)
    return found


def write_report(facts: Sequence[Facts], stem: Path) -> list[Path]:
    """Write ``stem.md`` and, if networks were timed, ``stem.png``.

    Raises:
        OutputError: one cannot be written.
    """
    picture, text = (stem.with_name(stem.name + end) for end in ('.png', '.md'))
    report = _networks(facts)
    pictures = [picture] if report.rows else []
    if report.rows:
        draw_latency(report, picture)
    write_bytes(text, to_markdown(facts, [p.name for p in pictures]).encode())
    return [text, *pictures]


def to_markdown(facts: Sequence[Facts], pictures: Sequence[str]) -> str:
    """Return the Markdown of ``facts``: machines, plot, a table for each section."""
    sections: dict[str, list[Facts]] = {}
    for fact in facts:
        sections.setdefault(fact['section'], []).append(fact)
    machines = dict.fromkeys(map(_machine, sections.pop('machine', [])))
    parts = ['## Check of a GPU', *machines]
    parts += [f'![Latency against published mIoU]({name})' for name in pictures]
    for name, found in sections.items():
        cases = [fact for fact in found if 'case' in fact and 'skipped' not in fact]
        parts.append(f'### {TITLES.get(name, name)}')
        parts += [_section(cases)] if cases else []
        parts += _what_is_missing(found)
    return '\n\n'.join([*parts, NOTE]) + '\n'


def _machine(machine: Facts) -> str:
    """Say in one line what the facts of a commit were found on."""
    gpu = machine.get('gpu')
    versions = machine.get('packages', {})
    texts = [
        f'**{gpu or "CPU, in small: the times mean nothing"}**',
        *(f'{key} {machine[key]}' for key in ('cuda', 'driver') if machine.get(key)),
        f'{machine["cores"]} cores',
        f'commit {machine["commit"]}',
        machine['date'].split()[0],
        *(f'{name} {version}' for name, version in versions.items()),
    ]
    return ', '.join(texts) + '.'


def _section(cases: Sequence[Facts]) -> str:
    """Return a section's table; commits of the same case stand side by side."""
    order = {case: number for number, case in enumerate(_unique(cases, 'case'))}
    rows = sorted(cases, key=lambda fact: order[fact['case']])
    several = len(_unique(cases, 'commit')) > 1
    flat = [_flatten(row) for row in rows]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    head = ['case', *(['commit'] if several else []), *columns]
    lines = [
        [
            row['case'],
            *([row['commit']] if several else []),
            *(_text(column, values.get(column)) for column in columns),
        ]
        for row, values in zip(rows, flat, strict=True)
    ]
    texts = 2 if several else 1
    return table([name.replace('_', ' ') for name in head], lines, texts)


def _unique(facts: Iterable[Facts], key: str) -> list[str]:
    return list(dict.fromkeys(fact[key] for fact in facts))


def _flatten(fact: Facts) -> Facts:
    """Return what columns say; times by stage have a column each."""
    found: Facts = {}
    for key, value in fact.items():
        if key in LEFT_OUT or key == 'error':
            continue
        if key == 'stages_ms':
            found |= {f'{stage} ms': ms for stage, ms in value.items()}
        elif not isinstance(value, Mapping):
            found[key] = value
    return found


def _text(column: str, value: Any) -> str:
    if value is None:
        return ''
    if isinstance(value, bool):
        return 'yes' if value else '**no**' if column == 'ok' else 'no'
    return f'{value:.6g}' if isinstance(value, float) else str(value)


def _what_is_missing(found: Sequence[Facts]) -> list[str]:
    lines = [
        f'- {fact.get("case", "all of it")}, {fact["commit"]}: '
        + (str(fact.get('skipped') or fact['error'].strip().splitlines()[-1]))
        for fact in found
        if 'skipped' in fact or 'error' in fact
    ]
    return ['\n'.join(['Not run:', '', *lines])] if lines else []


def _networks(facts: Sequence[Facts]) -> Report:
    """Return the networks that were timed as a report, those replayed as graphs."""
    timed = [f for f in facts if f['section'] == 'networks' and 'single_ms' in f]
    graphs = [fact for fact in timed if 'graphs' in fact['way']]
    several = len(_unique(timed, 'commit')) > 1
    rows = [
        Row(
            fact['model'],
            f'{fact["way"]}, {fact["commit"]}' if several else fact['way'],
            batch=1,
            size=tuple(fact['size']),
            seconds=[fact['single_ms'] / 1e3],
            input_size=tuple(fact['size']),
        )
        for fact in graphs or timed
    ]
    published = {
        fact['model']: Published(
            *(fact['dataset'], fact['published_miou_percent'], ''),
            *(fact['model'].startswith('sctnet'), tuple(fact['size'])),
        )
        for fact in timed
    }
    machine = next((f for f in facts if f['section'] == 'machine'), {'gpu': None})
    return Report('network', machine, {}, published, rows)
