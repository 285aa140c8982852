"""Recognises a data set, converts it where that is needed, and writes two configs."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import ArgumentError, DataError, OutputError
from ...files import check_writable
from ..convert import convert
from ..convert.annotated_images import PARTS
from ..convert.annotation_files import read_json
from ..convert.class_names import is_palette
from ..convert.converted import SUMMARY
from ..convert.converter import Progress
from ..convert.options import option_of
from ..convert.recognised import Ask, Recognised
from ..convert.summary import report_failed, report_left_out, without_pixels
from ..images import amount
from .measure import measure
from .recognise import recognise
from .recognise_colours import UnnamedColoursError, with_list
from .write_configs import TEACHERS, Plan, make_plan, shares_of, write_configs

COLOURS = 'colours.txt'  # that is proposed


@dataclass
class New:
    """What was made.

    Attributes:
        configs: the teacher's, if there is one, and the student's.
        root: of the data set.
        said: what was found, what it was taken for, what was left out; a line each.
        failed: one sentence for each broken file, which is not in the data set.
    """

    configs: list[Path]
    root: Path
    said: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def stop_at_questions(question: str, choices: Mapping[str, str], option: str) -> str:
    """Answer nothing: for programs and pipes.

    Raises:
        ArgumentError: always; it names the option that answers.
    """
    listed = '; '.join(f'{name}: {meaning}' for name, meaning in choices.items())
    raise ArgumentError(f'{question} ({listed}): say it with {option}')


def new_project(
    data: str | os.PathLike,
    out: str | os.PathLike,
    *,
    student: str = 's',
    crop: int | None = None,
    iterations: int | None = None,
    batch: int | None = None,
    pretrained: Mapping[str, str] | None = None,
    teacher: bool = True,
    link: bool = True,
    ask: Ask = stop_at_questions,
    progress: Progress | None = None,
    format_name: str | None = None,
    **options: Any,
) -> New:
    """Make a data set of what is at ``data``, and configs to train on it.

    Args:
        data: a folder or an annotation file, see :func:`.recognise.recognise`.
        out: folder for ``teacher.py``, ``student.py`` and, where it is converted, the
            data set, in ``data``. It must not hold these yet.
        student: ``s``, ``b`` or ``t``.
        crop: side of the square that a training sees, a multiple of 32 from 64 up.
        iterations: of each training.
        batch: images a step.
        pretrained: backbones' files, under ``teacher`` and ``student``.
        teacher: write its config; the student is trained alone without it.
        link: to the images instead of copying them.
        ask: answers where two readings are possible.
        progress: called as progress(done, total) while files are converted.
        format_name: of a format of ``sctnet convert``, if it is not to be recognised.
        **options: of :func:`~sctnet.datasets.convert.convert` and of the format.

    Raises:
        ArgumentError: a question is open, or an option is out of range.
        DataError: nothing is recognised, or nothing could be converted.
        OutputError: ``out`` has configs already, or cannot be written.
    """
    data, out = Path(data), Path(out)
    _check(student, crop, iterations, batch, options.get('tile'))
    _check_place(out)
    chosen = {name: value for name, value in options.items() if value is not None}
    if format_name is None:
        found = _recognised(data, out, ask, chosen)
    else:
        found = Recognised(format_name, data, f'the format {format_name}, as you say')
    new = New([], data, [f"'{data}' is taken for {found.said}"])
    if found.format_name is None:
        _refuse_choices(data, chosen)
        new.root = data = found.source  # which may be the only folder there
    else:
        new.root = out / 'data'
        chosen = {**found.options, **chosen, 'link': link, 'progress': progress}
        result = convert(found.format_name, found.source, new.root, **chosen)
        new.said += report_left_out(result)
        new.failed = report_failed(result.failed)
    try:
        summary = read_summary(new.root / SUMMARY)
        new.said += without_pixels(summary['pixels']) if new.root == data else []
        measured = measure(new.root / 'images' / 'train')
        lengths = crop, iterations, batch
        about = student, *lengths, teacher, chosen.get('tile')
        plan = make_plan(new.root, summary, measured, *about)
        _check_learnable(plan, [*new.said[1:], *new.failed[:3]])
        ignored = summary.get('ignored_pixels', 0)
        new.said += [*_describe(plan, ignored), *measured.describe()]
        new.configs = write_configs(plan, out, pretrained or {})
    except BaseException:
        if new.root != data:  # so that another try finds an empty place
            shutil.rmtree(new.root, ignore_errors=True)
        raise
    return new


def _check_place(out: Path) -> None:
    check_writable(out, '--out')
    for name in ('teacher.py', 'student.py', 'data'):
        if (out / name).exists():
            raise OutputError(
                f"'{out}' has a {name} already: name another folder with --out, or "
                'delete that'
            )


def _recognised(data: Path, out: Path, ask: Ask, chosen: dict[str, Any]) -> Recognised:
    """Recognise the data; a list of colours is written where masks need one."""
    masks = chosen.get('masks')
    try:
        found = recognise(data, ask, masks and Path(masks), chosen)
        if chosen.get('images') and found.format_name in ('masks', 'colours'):
            found.source = Path(chosen.pop('images'))
        return found
    except UnnamedColoursError as error:
        raise with_list(error, out / COLOURS) from error


def _refuse_choices(data: Path, chosen: Mapping[str, Any]) -> None:
    """See that nothing is asked of a data set that is used as it lies."""
    asked = sorted(option_of(name) for name, value in chosen.items() if value)
    if asked:
        raise ArgumentError(
            f"'{data}' is a data set already, and used as it lies, so that "
            f'{", ".join(asked)} cannot be chosen: leave that out, or start '
            'from what it was made of'
        )


def read_summary(file: Path) -> dict[str, Any]:
    """Read what a conversion wrote of its data set.

    Raises:
        DataError: it is damaged, or another tool's.
    """
    summary = read_json(file)
    classes, images = summary.get('classes'), summary.get('images')
    pixels, palette = summary.get('pixels', {}), summary.get('palette')
    sound = (
        isinstance(classes, list)
        and all(isinstance(name, str) for name in classes)
        and 2 <= len(set(classes)) == len(classes) <= 255
        and isinstance(images, dict)
        and set(images) <= set(PARTS)
        and all(type(count) is int and count >= 0 for count in images.values())
        and isinstance(pixels, dict)
        and all(type(count) is int and count >= 0 for count in pixels.values())
        and (palette is None or is_palette(palette, len(classes)))
        and type(summary.get('ignored_pixels', 0)) is int
    )
    if not sound:
        raise DataError(
            f"'{file}' is not as sctnet writes it (classes, images, pixels, palette): "
            'make the data set again, or move that file elsewhere'
        )
    return {**summary, 'pixels': pixels}


def _check(
    student: str,
    crop: int | None,
    iterations: int | None,
    batch: int | None,
    tile: int | None,
) -> None:
    if student not in TEACHERS:
        raise ArgumentError(
            f'--student is {student!r}: expected one of {", ".join(TEACHERS)}'
        )
    if crop is not None and (crop < 64 or crop % 32):
        raise ArgumentError(
            f'--crop is {crop}: expected a multiple of 32 from 64 up, such as 512'
        )
    if crop is not None and tile is not None and crop > tile:
        raise ArgumentError(
            f'--crop is {crop}, larger than --tile, {tile}: take a crop within a tile'
        )
    for name, value in (('iterations', iterations), ('batch', batch)):
        if value is not None and value < 1:
            raise ArgumentError(f'--{name} is {value}: expected 1 or more')


def _check_learnable(plan: Plan, why: list[str]) -> None:
    """See that there is something to learn; ``why`` says what was left out."""
    train, reasons = plan.images.get('train', 0), f' ({"; ".join(why)})' if why else ''
    if train < 2:
        raise DataError(
            f'only {amount(train, "image")} to train on{reasons}: at least 2 are '
            'needed, and one to validate on; add some, or lower --val and --test'
        )
    if sum(count > 0 for count in plan.pixels.values()) < 2:
        raise DataError(
            f'all pixels are of one class ({shares_of(plan.pixels)}) or to ignore, so '
            f'that there is nothing to learn{reasons}: correct the masks, or --map'
        )
    if not plan.images.get('val'):
        raise DataError(
            f'there is no image to validate on{reasons}: give a share with --val, such '
            'as 0.1, of at least two sound images (tiles of one count as one)'
        )


def _describe(plan: Plan, ignored: int) -> list[str]:
    counted = ', '.join(f'{n} {part}' for part, n in plan.images.items() if n)
    share = 100 * ignored / max(1, ignored + sum(plan.pixels.values()))
    return [
        f'images: {counted}; their short side is {plan.measured.short_side} pixels, a '
        f'training sees {plan.crop}x{plan.crop}',
        f'classes: {shares_of(plan.pixels)}'
        + (f'; to ignore {share:.3g} % of all' if ignored else ''),
    ]
