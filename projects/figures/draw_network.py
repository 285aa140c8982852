"""Draw SCTNet's data path to network.png beside this file."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

INK, SOFT, LINE, GUIDE = '#1f2933', '#5b6773', '#55606b', '#a0652b'
CONV, CFBLOCK, CONTEXT, HEAD = '#7fb2e5', '#f5a15b', '#b79ce0', '#7cc59a'
TALL = {1: 156, 4: 140, 8: 116, 16: 90, 32: 64}  # by stride
WIDE = {1: 34, 2: 50, 4: 78, 8: 118}  # by channels, in units of c
TOP, TAGS, MIDDLE, BOTTOM, FUSED = 664, 562, 436, 236, 144  # rows
DETAIL, STAGE3, STAGE4 = 580, 895, 1470  # columns with a feature map
STEPS = [  # of the upper row: x, stride, channels, colour, name
    (330, 4, 1, CONV, 'stem'), (450, 4, 1, CONV, 'stage1'),
    (DETAIL, 8, 2, CONV, 'stage2'), (735, 16, 4, CONV, 'stage3'),
    (STAGE3, 16, 4, CFBLOCK, 'cfblock3'), (1080, 32, 8, CONV, 'downsample4'),
    (1275, 32, 8, CFBLOCK, 'cfblock4_1'), (STAGE4, 32, 8, CFBLOCK, 'cfblock4_2'),
]  # fmt: skip
TOY = [  # sky, houses, road, car, windscreen: in the picture, as a label, xs, ys
    ('#bfe0f7', '#4682b4', (0, 100, 100, 0), (0, 0, 100, 100)),
    ('#c98d6b', '#464646', (0, 43, 43, 20, 0), (10, 46, 60, 92, 92)),
    ('#dcc9a6', '#464646', (57, 100, 100, 86, 70, 57), (46, 10, 84, 96, 84, 56)),
    ('#8d949b', '#804080', (0, 100, 100, 56, 44, 0), (0, 0, 10, 46, 46, 10)),
    ('#c8453c', '#00008e', (56, 80, 81, 76, 60, 55), (14, 14, 28, 42, 42, 28)),
    ('#4b5560', '#00008e', (58, 78, 74.5, 61.5), (29, 29, 39, 39)),
]


def write(x: float, y: float, text: str, size: float = 14, **style: Any) -> None:
    """Write text, centred on x, y unless the style says otherwise."""
    style = {'ha': 'center', 'va': 'center', 'color': INK, 'zorder': 5} | style
    plt.text(x, y, text, fontsize=size, **style)


def box(x: float, y: float, w: float, h: float, colour: str, edge: str = '') -> None:
    """Draw a rounded box around x, y; `edge` is the colour of its dashes, if any."""
    look = {'fc': colour, 'ec': edge or 'none', 'lw': 2, 'ls': '--', 'zorder': 3}
    shape = 'round,pad=0,rounding_size=8'
    plt.gca().add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, shape, **look))


def arrow(*points: tuple[float, float], dashes: str = '') -> None:
    """Draw an arrow through the points; `dashes` is its colour, if it is dashed."""
    look = {'color': dashes or LINE, 'lw': 2.4, 'ls': '--' if dashes else '-'}
    plt.plot(*zip(*points[:-1], strict=True), **look)
    look |= {'arrowstyle': '-|>,head_width=.35,head_length=.6', 'shrinkA': 0}
    plt.annotate('', points[-1], points[-2], arrowprops=look | {'shrinkB': 1}, zorder=2)


def step(x: float, y: float, h: float, w: float, colour: str, *names: str) -> None:
    """Draw a block and, above it, its name and its size."""
    box(x, y, w, h, colour)
    x, ha = (x + 14, 'left') if names[0] in ('concat', 'dappm') else (x, 'center')
    write(x, y + h / 2 + 43, names[0], 14.5, weight='bold', ha=ha)
    write(x, y + h / 2 + 18, names[1], 13.5, color=SOFT, ha=ha)


def tag(x: float, y: float, block: float, text: str) -> None:
    """Draw the name of a feature map of the backbone, tied to the block at x, block."""
    plt.plot([x, x], [block, y], color=LINE, lw=2.4)
    box(x, y, 94, 36, INK)
    write(x, y - 1, text, color='white', weight='bold')


def draw_inference() -> None:
    """Draw the path from the image to the label map."""
    for x, stride, c, colour, text in STEPS:
        arrow((x - WIDE[c] / 2 - 92, TOP), (x - WIDE[c] / 2, TOP))
        step(x, TOP, TALL[stride], WIDE[c], colour, text, f'1/{stride} · {c}c')
    for x, stride, text in ((DETAIL, 8, 'detail'), (STAGE4, 32, 'stage4')):
        arrow((x, TOP), (x, BOTTOM + TALL[stride] / 2))
        tag(x, TAGS, TOP, text)
    tag(STAGE3, TAGS, TOP, 'stage3')
    step(STAGE4, BOTTOM, TALL[32], WIDE[2], CONTEXT, 'dappm', '1/32 · 2c')
    step(1050, BOTTOM, TALL[8], WIDE[2], CONTEXT, 'upsample', '1/8 · 2c')
    step(DETAIL, BOTTOM, TALL[8], WIDE[4], CONV, 'concat', '1/8 · 4c')
    box(DETAIL, BOTTOM - TALL[8] / 4, WIDE[4], TALL[8] / 2, CONTEXT)
    step(400, BOTTOM, TALL[8], WIDE[4], HEAD, 'decode_head', '1/8')
    for right, left in ((STAGE4, 1075), (1050, 619), (DETAIL, 439), (400, 240)):
        arrow((right, BOTTOM), (left, BOTTOM))
    tag(DETAIL, FUSED, BOTTOM, 'fused')
    for i, (y, text) in enumerate(((TOP, 'image'), (BOTTOM, 'label map'))):
        step(130, y, TALL[1], 220, 'none', text, '1/1')
        for *colours, xs, ys in TOY:
            at = 20 + 2.2 * np.array(xs), y + TALL[1] * (np.array(ys) / 100 - 0.5)
            plt.fill(*at, color=colours[i], lw=0, zorder=3)


def draw_training() -> None:
    """Draw what only training uses."""
    arrow((DETAIL, MIDDLE), (438, MIDDLE), dashes=LINE)
    box(330, MIDDLE, 216, 84, 'white', LINE)
    write(330, MIDDLE + 15, 'auxiliary_head', 14.5, weight='bold')
    write(330, MIDDLE - 16, 'training only', 13.5, color=SOFT)
    box(1050, MIDDLE, 640, 140, '#fdf6ee', GUIDE)
    write(1050, MIDDLE + 42, 'training only (paper: SIAM)', color=GUIDE)
    write(1050, MIDDLE + 2, 'frozen SegFormer teacher', 17, weight='bold')
    write(1050, MIDDLE - 38, 'its features guide stage3, stage4 and fused')
    arrow((STAGE3, MIDDLE + 70), (STAGE3, TAGS - 19), dashes=GUIDE)
    arrow((1275, MIDDLE + 70), (1275, TAGS), (STAGE4 - 48, TAGS), dashes=GUIDE)
    arrow((800, MIDDLE - 70), (800, FUSED), (DETAIL + 48, FUSED), dashes=GUIDE)


def main() -> None:
    """Draw the figure and write it."""
    plt.figure(figsize=(16, 8.4), dpi=100)  # lengths are in pixels everywhere else
    plt.axes((0, 0, 1, 1), xlim=(0, 1600), ylim=(0, 840)).axis('off')
    draw_inference()
    draw_training()
    key = 'taller: finer resolution;  wider: more channels;  c = 32 (SCTNet-S) or 64 '
    key += '(SCTNet-B)\ndark: what the backbone returns;  dashed: only in training'
    write(800, 55, key, color=SOFT, linespacing=1.6)
    plt.savefig(Path(__file__).with_name('network.png'))


if __name__ == '__main__':
    main()
