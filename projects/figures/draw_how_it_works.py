"""Draw the figures of docs/how_it_works.md into docs/figures/."""

from pathlib import Path

import matplotlib.pyplot as plt
from draw_network import (
    CFBLOCK,
    CONTEXT,
    CONV,
    GUIDE,
    HEAD,
    INK,
    LINE,
    SOFT,
    arrow,
    box,
    write,
)

FIGURES = Path(__file__).resolve().parents[2] / 'docs' / 'figures'
PALE = '#fdf6ee'  # what belongs to the teacher


def start(width: int, height: int) -> None:
    """Begin a figure whose lengths are in pixels."""
    plt.figure(figsize=(width / 100, height / 100), dpi=100)
    plt.axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height)).axis('off')


def save(name: str) -> None:
    """Write the figure and forget it."""
    FIGURES.mkdir(exist_ok=True)
    plt.savefig(FIGURES / f'{name}.png')
    plt.close()


def block(x: float, y: float, w: float, h: float, colour: str, *lines: str) -> None:
    """Draw a box with a bold line and plain lines in it."""
    box(x, y, w, h, colour, GUIDE if colour == PALE else '')
    top = y + 11 * (len(lines) - 1)
    for i, line in enumerate(lines):
        weight, colour = ('bold', INK) if i == 0 else ('normal', SOFT)
        write(x, top - 22 * i, line, 12.5, weight=weight, color=colour)


def draw_siam() -> None:
    """BFA and SDHA: which features meet which."""
    start(1400, 620)
    write(150, 590, 'student', 16, weight='bold')
    write(1240, 590, 'teacher (frozen)', 16, weight='bold', color=GUIDE)
    rows = (
        (520, 'stage3', '4c · 1/16', '320 · 1/16', 'stage 3', 'loss_bfa_stage3'),
        (420, 'stage4', '8c · 1/32', '512 · 1/32', 'stage 4', 'loss_bfa_stage4'),
    )
    for y, name, size, teacher_size, stage, loss in rows:
        block(150, y, 170, 70, CONV, name, size)
        arrow((235, y), (305, y))
        block(375, y, 140, 60, HEAD, 'conv 1x1', 'learnt')
        arrow((445, y), (875, y))
        block(980, y, 210, 52, CONTEXT, loss)
        arrow((1155, y), (1085, y), dashes=GUIDE)
        block(1240, y, 170, 70, PALE, stage, teacher_size)
    write(30, 470, 'BFA', 18, weight='bold', rotation=90)
    write(30, 255, 'SDHA', 18, weight='bold', rotation=90)
    plt.plot([30, 1370], [355, 355], color=LINE, lw=1, ls=':')
    y = 255
    steps = (
        (150, 170, CONV, ('fused', '4c · 1/8')),
        (345, 140, HEAD, ('conv 1x1', '1024 · learnt')),
        (520, 140, CFBLOCK, ('upsample', '1/4')),
        (705, 160, CFBLOCK, ('scale align', "teacher's spread")),
    )
    for x, w, colour, lines in steps:
        block(x, y, w, 70, colour, *lines)
        arrow((x + w / 2, y), (x + w / 2 + 32, y))
    block(980, y, 320, 84, PALE, "the teacher's own decoder", '1x1 to 256, norm, ReLU')
    block(1270, y, 160, 70, PALE, 'merged', '1024 · 1/4')
    arrow((1190, y), (1143, y), dashes=GUIDE)
    for x, loss, size in (
        (890, 'loss_sdha_feature', '256 · 1/4'),
        (1110, 'loss_sdha_logits', 'K · 1/4'),
    ):
        arrow((x, 213), (x, 161))
        block(x, 130, 205, 62, CONTEXT, loss, size)
    arrow((890, 99), (890, 60), (165, 60), (165, 219), dashes=LINE)
    write(525, 78, 'gradients pass through the frozen decoder to the student', 13)
    write(1110, 70, 'each: channel-wise divergence,', 12.5, color=SOFT)
    write(1110, 48, 'temperature 4, weights 15, 15, 15, 3', 12.5, color=SOFT)
    save('siam')


def draw_teacher_life() -> None:
    """When there is a teacher, and where it is not."""
    start(1400, 470)
    columns = (
        (140, 'Runner is built', 'hook knows a config', 'and a file, no more'),
        (420, 'before_train', 'built, loaded whole', 'classes, labels, mIoU'),
        (700, 'each iteration', 'eval, no gradients', 'inside loss() alone'),
        (980, 'validation, checkpoint', 'student alone', 'no teacher in the file'),
        (1260, 'after_train', 'detached', 'the student stays'),
    )
    for x, title, *lines in columns:
        write(x, 430, title, 14, weight='bold')
        colour = PALE if title in ('before_train', 'each iteration') else '#eef1f4'
        block(x, 340, 245, 78, colour, *lines)
    for left in (262, 542, 822, 1102):
        arrow((left, 340), (left + 36, 340))
    write(62, 235, 'teacher', 14, weight='bold', color=GUIDE)
    box(700, 235, 805, 34, PALE, GUIDE)
    write(700, 234, 'frozen, in eval mode, held beside the module tree', 13)
    write(62, 175, 'student', 14, weight='bold')
    box(750, 175, 1240, 34, CONV)
    write(750, 174, 'weights, optimizer, EMA, DDP, checkpoints', 13)
    write(62, 115, 'SIAM', 14, weight='bold')
    box(750, 115, 1240, 34, HEAD)
    write(
        750, 114, 'three 1x1 convolutions: trained and saved; dropped by deployment', 13
    )
    text = 'A killed training that is resumed passes before_train again: the teacher '
    write(700, 50, text + 'comes from its own file, never from a checkpoint.', 13)
    save('teacher_life')


def draw_cross_entropy() -> None:
    """What exists at a time, with all logits upsampled and in blocks."""
    start(1400, 470)
    write(350, 440, 'step by step', 16, weight='bold')
    block(110, 240, 90, 60, CONV, 'logits', 'K · 1/8')
    arrow((155, 240), (215, 240))
    block(350, 240, 270, 270, CFBLOCK, 'all K upsampled', 'K · 1/1, kept for backward')
    arrow((485, 240), (530, 240))
    block(590, 240, 120, 60, CONTEXT, 'loss')
    write(350, 60, 'memory and traffic: several times K H W', 13.5, color=SOFT)
    plt.plot([700, 700], [40, 440], color=LINE, lw=1, ls=':')
    write(1050, 440, 'in blocks of rows', 16, weight='bold')
    block(790, 240, 90, 60, CONV, 'logits', 'K · 1/8')
    for i in range(6):
        y = 352 - 45 * i
        box(1040, y, 270, 38, CFBLOCK if i == 2 else 'white', '' if i == 2 else LINE)
    write(1040, 262, 'one block exists at a time', 12.5, weight='bold')
    arrow((835, 250), (905, 262))
    arrow((1175, 262), (1225, 262))
    block(1300, 262, 150, 76, CONTEXT, 'its share of', 'loss and labels')
    arrow((1300, 224), (1300, 85), (790, 85), (790, 210), dashes=GUIDE)
    write(
        1045, 62, "its share of the gradient, Y'(p - onehot)X, in the same pass", 13.5
    )
    save('cross_entropy')


def main() -> None:
    """Draw all."""
    draw_siam()
    draw_teacher_life()
    draw_cross_entropy()


if __name__ == '__main__':
    main()
