"""Says what a check found: on the terminal, and as JSON."""

import json
import os
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...files import write_bytes
from .checker import CheckResult
from .faults import KINDS

_SHOWN = 5  # files of a kind on the terminal


def print_summary(result: CheckResult) -> None:
    """Print counts, class shares and the first faults of each kind."""
    # Names of classes and files are printed as they are, '[b]' and ':smile:' too.
    console = Console(markup=False, emoji=False, highlight=False)
    for part in result.parts:
        share = result.shares[part.name]
        sizes = ', '.join(
            f'{w}x{h} ({n})' for (w, h), n in share.sizes.most_common(_SHOWN)
        )
        more = len(share.sizes) - _SHOWN
        sizes += f' and {more} more' if more > 0 else ''
        console.print(f'{part.name}: {share.read} read; sizes {sizes or "none"}')
    table = Table('label', 'class', *(f'{part.name} %' for part in result.parts))
    for index, name in enumerate(result.parts[0].classes if result.parts else ()):
        table.add_row(str(index), name, *_percents(result, index))
    console.print(table)
    for kind, count in Counter(fault.kind for fault in result.faults).items():
        serious, what, remedy = KINDS[kind]
        style = 'bold red' if serious else 'bold yellow'
        console.print(Text(f'{kind}: {count}', style), f'({what}; {remedy})')
        of_kind = [fault for fault in result.faults if fault.kind == kind]
        for fault in of_kind[:_SHOWN]:
            line = f'  {fault.part}: {fault.path}: {fault.detail}'
            console.print(line, soft_wrap=True)
        if count > _SHOWN:
            console.print(f'  ... and {count - _SHOWN} more')
    for proposal in result.proposals:
        console.print(f'proposal: {proposal}', soft_wrap=True)
    console.print(verdict(result), style='red' if result.serious else 'green')


def verdict(result: CheckResult) -> str:
    """Return one sentence: is the data set sound?"""
    counts = (('fault', len(result.serious)), ('warning', len(result.warnings)))
    return ', '.join(f'{n or "no"} {what}{"" if n == 1 else "s"}' for what, n in counts)


def _percents(result: CheckResult, index: int) -> list[str]:
    shares = [result.shares[part.name].pixels for part in result.parts]
    return [
        f'{100 * pixels[index] / max(1, pixels.sum()):.3f}'
        for pixels in shares
        if index < len(pixels)
    ]


def as_json(result: CheckResult) -> dict[str, Any]:
    """Return all figures and faults as plain values."""
    return {
        'verdict': verdict(result),
        'parts': {
            part.name: {
                'pairs': len(part.pairs),
                'read': result.shares[part.name].read,
                'sizes': {
                    f'{w}x{h}': n
                    for (w, h), n in result.shares[part.name].sizes.most_common()
                },
                'ignored_pixels': result.shares[part.name].ignored,
                'classes': _classes(result, part.name, part.classes),
            }
            for part in result.parts
        },
        'proposals': result.proposals,
        'faults': [
            {**asdict(fault), 'serious': fault.serious, 'remedy': fault.remedy}
            for fault in result.faults
        ],
    }


def _classes(result: CheckResult, part: str, names: list[str]) -> list[dict[str, Any]]:
    share = result.shares[part]
    return [
        {'label': i, 'name': name, 'pixels': int(pixels), 'images': int(images)}
        for i, (name, pixels, images) in enumerate(
            zip(names, share.pixels, share.images, strict=True)
        )
    ]


def write_json(result: CheckResult, path: str | os.PathLike) -> None:
    """Write :func:`as_json` whole or not at all; raises :class:`OutputError`."""
    text = json.dumps(as_json(result), indent=2, ensure_ascii=True)
    write_bytes(path, (text + '\n').encode())
