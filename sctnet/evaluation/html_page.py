"""A report as one HTML file: text, tables and pictures, with nothing outside of it."""

import base64
import html
import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..files import write_bytes

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --bad: #c62828;
  --good: #2e7d32; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
tr:hover td { background: var(--soft); }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; opacity: .8;
  overflow-wrap: anywhere; }
img { max-width: 100%; height: auto; }
.gallery { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); }
.gallery figure { margin: 0; }
.good, .bad { font-weight: 600; }
.good { color: var(--good); }
.bad { color: var(--bad); }
"""
_MIME = {b'\x89PNG': 'image/png', b'\xff\xd8\xff': 'image/jpeg'}


class HTMLPage:
    """Collects the parts of a page in order, and writes it.

    All text is escaped. Pictures lie inside the file, and nothing is fetched when it is
    opened, so that it can be mailed or kept.

    Args:
        title: heading of the page.
    """

    style = _STYLE

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts: list[str] = [f'<h1>{html.escape(title)}</h1>']

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f'<h2>{html.escape(text)}</h2>')

    def paragraph(self, text: str, kind: str = '') -> None:
        """Add a paragraph; ``kind`` is ``'good'`` or ``'bad'`` to colour it."""
        css = f' class="{html.escape(kind)}"' if kind else ''
        self._parts.append(f'<p{css}>{html.escape(text)}</p>')

    def table(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add a table; columns whose cells are all numbers are set to the right.

        Numbers come as they should be read: an ``int``, or a ``float`` that is rounded
        to two digits.
        """
        rows = [list(row) for row in rows]
        numeric = [
            bool(rows) and all(isinstance(row[i], int | float) for row in rows)
            for i in range(len(header))
        ]
        lines = [_row('th', header, numeric)]
        lines += [_row('td', row, numeric) for row in rows]
        self._parts.append('<table>\n' + '\n'.join(lines) + '\n</table>')

    def picture(self, data: bytes, caption: str = '') -> None:
        """Add a PNG or JPEG, given as the bytes of its file."""
        self._parts.append(_figure(data, caption))

    def gallery(self, pictures: Iterable[tuple[bytes, str]]) -> None:
        """Add pictures with captions side by side, as many as the window is wide."""
        figures = ''.join(_figure(data, caption) for data, caption in pictures)
        self._parts.append(f'<div class="gallery">{figures}</div>')

    def render(self) -> str:
        """Return the page as text."""
        body = '\n'.join(self._parts)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<title>{html.escape(self.title)}</title>\n<style>{self.style}</style>\n'
            f'</head>\n<body>\n{body}\n</body>\n</html>\n'
        )

    def write(self, path: str | os.PathLike) -> None:
        """Write the page whole or not at all.

        Raises:
            OutputError: ``path`` cannot be written.
        """
        write_bytes(path, self.render().encode('utf-8', 'backslashreplace'))


def _row(tag: str, cells: Sequence[Any], numeric: Sequence[bool]) -> str:
    texts = []
    for cell, right in zip(cells, numeric, strict=True):
        css = ' class="number"' if right else ''
        text = f'{cell:.2f}' if isinstance(cell, float) else str(cell)
        texts.append(f'<{tag}{css}>{html.escape(text)}</{tag}>')
    return f'<tr>{"".join(texts)}</tr>'


def _figure(data: bytes, caption: str) -> str:
    mime = next((m for magic, m in _MIME.items() if data.startswith(magic)), None)
    if mime is None:
        raise ValueError('a picture of a page must be PNG or JPEG: encode it as one')
    encoded = base64.b64encode(data).decode()
    text = html.escape(caption)
    return (
        f'<figure><img src="data:{mime};base64,{encoded}" alt="{text}">'
        f'<figcaption>{text}</figcaption></figure>'
    )
