"""The page of a test: parts that an HTML page has not, in colours for day and night."""

import html
import math
from collections.abc import Sequence

import numpy as np

from .html_page import HTMLPage

_STYLE = """
.scores { display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 1.5rem 0; }
.scores b { display: block; font-size: 2.4rem; line-height: 1.1; font-weight: 600; }
.classes td, .classes th { padding: .15rem .6rem; vertical-align: middle; }
.classes .name { overflow-wrap: normal; }
.swatch { display: inline-block; width: .9em; height: .9em; border-radius: 3px;
  border: 1px solid var(--line); vertical-align: -.08em; margin-right: .5em; }
.bar { display: inline-block; width: 11rem; height: .8em; border-radius: 2px;
  background: var(--soft); margin-right: .6em; vertical-align: -.05em; }
.bar i { display: block; height: 100%; border-radius: 2px; }
.bar.thin { width: 6rem; }
.iou i { background: #4a7fc1; } .acc i { background: #3f9d8f; }
.share i { background: #8888; }
.absent { opacity: .6; }
.matrix { font-size: .75rem; line-height: 1.2; }
.matrix th, .matrix td { padding: 0 .2rem; border: 1px solid var(--line); }
.matrix td { min-width: 1.7rem; height: 1.7rem; text-align: center;
  vertical-align: middle; overflow-wrap: normal; }
.matrix tr:hover td { background: none; }
.matrix th { font-weight: 400; overflow-wrap: normal; white-space: nowrap;
  vertical-align: middle; }
.matrix tr:first-child th { writing-mode: vertical-rl; transform: rotate(180deg);
  padding: .3rem 0; }
.legend { font-size: .9rem; line-height: 1.9; margin: .2rem 0 1rem; }
.legend span { margin-right: 1.2em; white-space: nowrap; display: inline-block; }
.panels { max-width: 62rem; }
.panels .gallery {
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.panels.four { max-width: none; }
.panels.four .gallery {
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
h3 { margin: 2rem 0 .5rem; font-size: 1rem; overflow-wrap: anywhere; }
"""


class ReportPage(HTMLPage):
    """A page with bars, a confusion matrix, legends and sheets of panels.

    Args:
        title: heading of the page.
        classes: names, K of them.
        palette: RGB of each.
    """

    style = HTMLPage.style + _STYLE

    def __init__(
        self, title: str, classes: Sequence[str], palette: Sequence[Sequence[int]]
    ) -> None:
        super().__init__(title)
        self.classes = classes
        self.palette = palette

    def scores(self, pairs: Sequence[tuple[str, float]]) -> None:
        """Add a line of large numbers in percent, each with its name."""
        parts = (
            f'<div><b>{_number(value)}</b>{html.escape(name)}</div>'
            for name, value in pairs
        )
        self._parts.append(f'<div class="scores">{"".join(parts)}</div>')

    def class_bars(
        self,
        iou: np.ndarray,
        accuracy: np.ndarray,
        truth_share: np.ndarray,
        predicted_share: np.ndarray,
    ) -> None:
        """Add a table of the classes, best IoU first, those without a pixel last.

        Args:
            iou: (K,) in percent, as all of these; NaN for no pixel.
            accuracy: (K,).
            truth_share: (K,), of all labelled pixels.
            predicted_share: (K,).
        """
        header = ''.join(
            f'<th>{name}</th>'
            for name in ('#', 'class', 'IoU', 'accuracy', 'share of truth', 'predicted')
        )
        largest = max(np.max(truth_share), np.max(predicted_share), 1e-9)
        rows = []
        for i in np.argsort(np.where(np.isnan(iou), np.inf, -iou), kind='stable'):
            css = ' class="absent"' if math.isnan(iou[i]) else ''
            shares = (
                f'<td>{_bar(share[i], "share thin", largest)}</td>'
                for share in (truth_share, predicted_share)
            )
            rows.append(
                f'<tr{css}><td class="number">{i}</td>'
                f'<td class="name">{self._swatch(i)}</td>'
                f'<td>{_bar(iou[i], "iou")}</td><td>{_bar(accuracy[i], "acc")}</td>'
                f'{"".join(shares)}</tr>'
            )
        lines = '\n'.join([f'<tr>{header}</tr>', *rows])
        self._parts.append(f'<table class="classes">\n{lines}\n</table>')

    def confusion_table(self, shares: np.ndarray) -> None:
        """Add a confusion matrix with numbers; readable for some thirty classes.

        Args:
            shares: (K, K), truth by prediction, from 0 to 1; NaN in rows of classes
                without a pixel.
        """
        names = [html.escape(name) for name in self.classes]
        lines = [
            '<tr><th></th>' + ''.join(f'<th>{name}</th>' for name in names) + '</tr>'
        ]
        for true, row in enumerate(shares):
            cells = ''.join(
                self._cell(true, predicted, value)
                for predicted, value in enumerate(row)
            )
            lines.append(f'<tr><th>{self._swatch(true)}</th>{cells}</tr>')
        table = '\n'.join(lines)
        self._parts.append(f'<table class="matrix">\n{table}\n</table>')

    def _cell(self, true: int, predicted: int, share: float) -> str:
        if math.isnan(share):
            return '<td></td>'
        colour = '74,127,193' if true == predicted else '230,110,30'
        # The root shows a confusion of some percent, too.
        style = f' style="background:rgba({colour},{math.sqrt(share) * 0.9:.2f})"'
        pair = f'{self.classes[true]} as {self.classes[predicted]}: {share:.2%}'
        text = f'{share * 100:.0f}' if share >= 0.005 else ''
        return f'<td{style} title="{html.escape(pair)}">{text}</td>'

    def legend(self, indices: Sequence[int]) -> None:
        """Add the colours and names of some classes."""
        spans = ''.join(f'<span>{self._swatch(i)}</span>' for i in indices)
        self._parts.append(f'<p class="legend">{spans}</p>')

    def panels(
        self, title: str, pictures: Sequence[tuple[bytes, str]], wide: bool
    ) -> None:
        """Add pictures with captions below a small heading.

        Two side by side if they are ``wide``, else four, as the window allows.
        """
        css = 'panels' if wide else 'panels four'
        self._parts.append(f'<h3>{html.escape(title)}</h3>\n<div class="{css}">')
        self.gallery(pictures)
        self._parts.append('</div>')

    def _swatch(self, index: int) -> str:
        red, green, blue = self.palette[index]
        return (
            f'<i class="swatch" style="background:rgb({red},{green},{blue})"></i>'
            f'{html.escape(self.classes[index])}'
        )


def _number(value: float) -> str:
    return '&ndash;' if math.isnan(value) else f'{value:.2f}'


def _bar(value: float, css: str, full: float = 100.0) -> str:
    width = 0.0 if math.isnan(value) else 100 * value / full
    return (
        f'<span class="bar {css}"><i style="width:{width:.1f}%"></i></span>'
        f'{_number(value)}'
    )
