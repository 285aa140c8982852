"""Writes a teacher's and a student's config for a data set, every value in sight."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat
from textwrap import indent, wrap
from typing import Any

from jinja2 import Environment, StrictUndefined

from ...files import write_bytes
from ..bands import bits_of
from ..overlay import distinct_colours
from ..parallel import default_workers
from ..statistics import fitting_crop, weights_line
from .measure import Measured

TEACHERS = {'s': 'b2', 'b': 'b3', 't': 't'}  # of each student
_NAMES = {'s': 'SCTNet-S', 'b': 'SCTNet-B', 't': 'SCTNet-T'}
_TEACHER_NAMES = {'b2': 'SegFormer-B2', 'b3': 'SegFormer-B3', 't': 'SegFormer-T'}
_LARGEST_CROP = {'s': 512, 'b': 512, 't': 256}
_BATCH = {'s': 8, 'b': 8, 't': 4}
_TEMPLATE = Path(__file__).with_name('config.py.jinja')
_IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])


@dataclass
class Plan:
    """What both configs have in common.

    Attributes:
        root: of the data set, as the configs name it.
        classes: their names, in the order of the labels.
        palette: RGB of each.
        images: how many each part has.
        pixels: of each class in the training part, if they were counted.
        measured: what the images are like.
        student: ``s``, ``b`` or ``t``.
        crop: side of the square that a training sees.
        iterations: of each training.
        batch: images a step.
        teacher: whether the student has one.
        tile: side of the tiles that images were cut into.
    """

    root: str
    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    images: Mapping[str, int]
    pixels: Mapping[str, int]
    measured: Measured
    student: str
    crop: int
    iterations: int
    batch: int
    teacher: bool
    tile: int | None = None


def make_plan(
    root: Path,
    summary: Mapping[str, Any],
    measured: Measured,
    student: str,
    crop: int | None = None,
    iterations: int | None = None,
    batch: int | None = None,
    teacher: bool = True,
    tile: int | None = None,
) -> Plan:
    """Choose what was not given: crop by the images' size, length by their number."""
    classes = summary['classes']
    train = summary['images']['train']
    usual = 600 if student == 't' else _length(train)
    return Plan(
        root=os.path.abspath(root),
        classes=classes,
        palette=summary.get('palette') or distinct_colours(len(classes)),
        images=summary['images'],
        pixels=summary.get('pixels') or {},
        measured=measured,
        student=student,
        crop=crop or fitting_crop(measured.short_side, _LARGEST_CROP[student]),
        iterations=iterations or usual,
        batch=batch or max(1, min(_BATCH[student], train)),
        teacher=teacher,
        tile=tile,
    )


def _length(images: int) -> int:
    """Return 4000 iterations for a hundred images, 40000 for ten thousand and more."""
    steps = 4000 * math.sqrt(max(images, 100) / 100)
    return int(min(40000, round(steps, -3)))


def write_configs(plan: Plan, out: Path, pretrained: Mapping[str, str]) -> list[Path]:
    """Write ``teacher.py``, if there is to be one, and ``student.py``.

    Args:
        plan: what they say.
        out: folder.
        pretrained: files of backbones, under ``teacher`` and ``student``.
    """
    teacher = TEACHERS[plan.student]
    small = 'adamw_600'
    taught = ', taught by teacher.py' if plan.teacher else ''
    files = {
        out / 'teacher.py': {
            'title': f'{_TEACHER_NAMES[teacher]} for these classes, the teacher.',
            'network': f'segformer_{teacher}',
            'schedule': small if teacher == 't' else 'segformer_160k',
            'heads': ['decode_head'],
            'taught': False,
        },
        out / 'student.py': {
            'title': f'{_NAMES[plan.student]} for these classes{taught}.',
            'network': f'sctnet_{plan.student}',
            'schedule': small if plan.student == 't' else 'adamw_160k',
            'heads': ['decode_head', 'auxiliary_head'],
            'taught': plan.teacher,
            'teacher': os.path.abspath(out / 'teacher.py'),
        },
    }
    if not plan.teacher:
        del files[out / 'teacher.py']
    for file, values in files.items():
        text = _render(plan, pretrained.get(file.stem), values)
        compile(text, str(file), 'exec')  # names are data, and may be odd
        write_bytes(file, text.encode(errors='backslashreplace'))
    return list(files)


def _render(plan: Plan, pretrained: str | None, values: Any) -> str:
    bands, measured = _Bands(plan.measured), plan.measured
    backbone = [bands.backbone] if bands.backbone else []
    if pretrained:
        backbone.append(f"init_cfg=dict(type='Pretrained', checkpoint={pretrained!r})")
    environment = Environment(
        trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding='utf-8'))
    (height, width), count = measured.sizes.most_common(1)[0]
    total = sum(measured.sizes.values())
    return (
        template.render(
            plan=plan,
            bands=bands,
            backbone=', '.join(backbone),
            counts=', '.join(f'{n} {part}' for part, n in plan.images.items() if n),
            classes=_wrapped(tuple(plan.classes)),
            palette=_wrapped([list(map(int, colour)) for colour in plan.palette]),
            weights=_weights(plan),
            sizes=f'{count} of {total} images have {height}x{width}.',
            said=indent(_comment(bands.said, 84), '    '),
            workers=min(4, default_workers()),
            parts=[part for part in ('train', 'val', 'test') if plan.images.get(part)],
            measured_on='test' if plan.images.get('test') else 'val',
            **values,
        ).rstrip()
        + '\n'
    )


class _Bands:
    """How the images are read and normalised."""

    def __init__(self, measured: Measured) -> None:
        bands, kind = measured.kind
        self.own = (bands, kind) != (3, 'uint8')
        self.load = "'LoadImageFromFile'"
        if self.own:  # without alpha, which some may have
            chosen = f', bands={tuple(range(bands))}' if measured.alpha else ''
            self.load = f'LoadBands{chosen}'
        self.backbone = f'in_channels={bands}' if bands != 3 else ''
        self.flips = not self.own
        self.range, self.ends = '', []
        mean, std = (measured.mean, measured.std) if self.own else _IMAGENET
        self.mean, self.std = (
            [round(value, 4) for value in values] for values in (mean, std)
        )
        found = ', '.join(f'{value:.4g}' for value in measured.mean)
        spread = ', '.join(f'{value:.4g}' for value in measured.std)
        self.said = f"ImageNet's, of pre-trained weights; here {found} and {spread}."
        if self.own:
            self.said = (
                f'Of each of {bands} bands of {kind}, in the units of the files.'
            )
            if kind != 'uint8':
                self.range = f', max_value={_full_range(measured.largest, kind)}'
            self.ends = [
                [_short(v) for v in ends] for ends in (measured.low, measured.high)
            ]


def _full_range(largest: float, kind: str) -> float:
    """Return the largest value that can occur: 4095 for 12 bits in 16, and so on."""
    if kind.startswith('uint'):
        return 2 ** bits_of(largest) - 1
    return float(f'{largest:.3g}')


def _short(value: float) -> float:
    return int(value) if value == int(value) else float(f'{value:.6g}')


def _weights(plan: Plan) -> str:
    """Say what share each class has, and weights for those that are rare."""
    pixels = {name: plan.pixels.get(name, 0) for name in plan.classes}
    if not any(pixels.values()):
        return ''
    line = weights_line([*pixels.values()])
    advice = (
        f'If a rare class is not learnt, give weights to the losses, such as {line}.'
    )
    return f'{_comment(f"Of the pixels: {shares_of(pixels)}.")}\n{_comment(advice)}'


def shares_of(pixels: Mapping[str, int]) -> str:
    """Return the share of each class in words."""
    total = sum(pixels.values()) or 1
    return ', '.join(f'{k} {100 * v / total:.3g} %' for k, v in pixels.items())


def _comment(text: str, width: int = 88) -> str:
    text = ''.join(one if one.isprintable() else '?' for one in text)
    return '\n'.join(wrap(text, width, initial_indent='# ', subsequent_indent='# '))


def _wrapped(values: Any) -> str:
    return pformat(values, width=76, compact=True)
