"""Lines that the command prints after a conversion."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pprint import pformat

from .converter import Converted

_MOST = 50  # broken files that are named on the terminal; dataset.json has them all


def own_data_lines(result: Converted) -> str:
    """Return the ``own_data`` of a config for this data set, as Python code."""
    lines = [
        'own_data = dict(',
        f'    root={str(result.root)!r},',
        f'    classes={_wrapped(result.classes)},',
    ]
    if result.palette:
        colours = [tuple(int(part) for part in colour) for colour in result.palette]
        lines.append(f'    palette={_wrapped(colours)},')
    return '\n'.join([*lines, '    crop=(512, 512),', ')'])


def _wrapped(values: Sequence[object]) -> str:
    """Write a tuple on one line, or on lines of at most 88 characters."""
    return pformat(tuple(values), width=72, compact=True).replace('\n', '\n' + 12 * ' ')


def report_skipped(skipped: Counter[str], examples: Mapping[str, str]) -> list[str]:
    """Return one line for each reason for which something was left out."""
    lines = []
    for reason, count in sorted(skipped.items()):
        example = f", such as '{examples[reason]}'" if reason in examples else ''
        lines.append(f'skipped: {count} {reason}{example}')
    return lines


def report_empty(empty: Sequence[str]) -> list[str]:
    """Return a line that says how many images are background all over, if any are."""
    if not empty:
        return []
    return [
        f'all background: {len(empty)} images without annotation, such as '
        f"'{empty[0]}' (--skip-empty leaves them out)"
    ]


def report_failed(failed: Sequence[str]) -> list[str]:
    """Return one line for each broken file, up to a limit, and how many more."""
    lines = [f'broken: {sentence}' for sentence in failed[:_MOST]]
    if len(failed) > _MOST:
        lines.append(f'broken: {len(failed) - _MOST} more')
    return lines
