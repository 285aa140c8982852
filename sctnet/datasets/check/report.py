"""A check's result for the terminal, as JSON and as a page."""

import json
import os
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from ...evaluation.html_page import HTMLPage
from ...files import write_bytes
from .checker import CheckResult
from .drawing import draw_legend, draw_overlays, draw_samples, draw_shares
from .faults import KINDS

_SHOWN = 5  # files of a kind on the terminal
_LISTED = 500  # faults in the page; the JSON has them all


def print_summary(result: CheckResult, console: Console | None = None) -> None:
    """Print counts, class shares and the first faults of each kind."""
    console = console or Console()
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
        console.print(f'[{style}]{kind}: {count}[/] ({what}; {remedy})')
        of_kind = [fault for fault in result.faults if fault.kind == kind]
        for fault in of_kind[:_SHOWN]:
            line = f'  {fault.part}: {fault.path}: {fault.detail}'
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if count > _SHOWN:
            console.print(f'  ... and {count - _SHOWN} more')
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
        'faults': [
            {
                'kind': fault.kind,
                'serious': fault.serious,
                'part': fault.part,
                'path': fault.path,
                'detail': fault.detail,
                'remedy': fault.remedy,
            }
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


def write_page(result: CheckResult, title: str, path: str | os.PathLike) -> None:
    """Write an HTML page with plots and faulty samples; raises :class:`OutputError`."""
    page = HTMLPage(title)
    page.paragraph(verdict(result), 'bad' if result.serious else 'good')
    rows = [
        [kind, count, 'fault' if KINDS[kind][0] else 'warning', *KINDS[kind][1:]]
        for kind, count in Counter(fault.kind for fault in result.faults).items()
    ]
    if rows:
        page.table(['what', 'count', '', 'meaning', 'remedy'], rows)
    samples = list(draw_samples(result))
    if samples:
        page.heading('Some of them')
        page.paragraph('Image above, labels below; magenta is no class of the config.')
        page.gallery(samples)
    if result.parts and result.parts[0].classes:
        page.heading('A look at the labels')
        page.paragraph('Do the colours lie on what they name?')
        page.gallery(draw_overlays(result))
        page.picture(draw_legend(result.parts[0]))
        page.heading('Classes')
        page.picture(draw_shares(result))
        page.table(*_class_table(result))
    page.heading('Sizes')
    sizes = [
        [part.name, f'{w} x {h}', count]
        for part in result.parts
        for (w, h), count in result.shares[part.name].sizes.most_common(20)
    ]
    page.table(['part', 'width x height', 'images'], sizes)
    if result.faults:
        page.heading('All faults')
        if len(result.faults) > _LISTED:
            page.paragraph(f'The first {_LISTED} of {len(result.faults)}.')
        page.table(
            ['what', 'part', 'file', 'detail'],
            [[f.kind, f.part, f.path, f.detail] for f in result.faults[:_LISTED]],
        )
    page.write(path)


def _class_table(result: CheckResult) -> tuple[list[str], list[list[Any]]]:
    header = ['label', 'class']
    columns: list[list[Any]] = []
    for part in result.parts:
        share = result.shares[part.name]
        percent = 100 * share.pixels / max(1, share.pixels.sum())
        header += [f'{part.name} % of pixels', f'{part.name} images']
        columns += [[float(p) for p in percent], [int(n) for n in share.images]]
    names = result.parts[0].classes
    rows = [
        [i, name, *(column[i] for column in columns if i < len(column))]
        for i, name in enumerate(names)
    ]
    return header, [row for row in rows if len(row) == len(header)]
