"""From a reader's items to a data set on disk."""

import inspect
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, OutputError, SCTNetError
from ...files import write_bytes
from ..parallel import run_all
from .annotated_images import IGNORED, PARTS, Item, Source
from .formats import FORMATS
from .names import assign_splits, make_unique
from .write_pair import Written, image_path, label_path, write_item

SUMMARY = 'dataset.json'


@dataclass
class Converted:
    """What a conversion made.

    Attributes:
        root: folder of the new data set.
        classes: names in the order of the labels.
        palette: RGB of each class, or None.
        images: how many are in each part.
        pixels: of each value of the label maps, int64 (256,).
        skipped: what was left out on purpose: reason to count.
        failed: what is broken: one sentence each, with the file's name.
        examples: of some reasons in ``skipped``, the first file.
        empty: names of images without annotation, background all over.
    """

    root: Path
    classes: tuple[str, ...]
    palette: Sequence[Sequence[int]] | None
    images: Counter[str] = field(default_factory=Counter)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    skipped: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


def convert(
    format_name: str,
    source: str | os.PathLike,
    out: str | os.PathLike,
    *,
    val: float = 0.1,
    link: bool = False,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Converted:
    """Convert a data set; each file appears whole or not at all.

    Args:
        format_name: a name of ``FORMATS``.
        source: what that format's reader takes.
        out: folder to make; it becomes the root of the data set.
        val: share of images for validation, where the source has no split.
        link: to the images, instead of copies.
        workers: threads; 0 works in this one, None takes one a core.
        overwrite: replace files of the same names in ``out``.
        progress: called as progress(done, total) after every image.
        **options: of the format's ``read``.

    Raises:
        ArgumentError: an option out of range, or an extra that is not installed.
        DataError: the source cannot be read, or nothing in it can be converted.
        OutputError: ``out`` holds something, lies inside the source, or is full.
    """
    if format_name not in FORMATS:
        raise ArgumentError(
            f'there is no format {format_name!r}: take one of {", ".join(FORMATS)}'
        )
    root = Path(out)
    reader = FORMATS[format_name].read
    _check_options(format_name, reader, options)
    named = {
        name: options[name] for name in FORMATS[format_name].PATHS & options.keys()
    }
    paths = {name: Path(value) for name, value in named.items() if value is not None}
    options.update(paths)
    _check_out(root, [Path(source), *paths.values()], overwrite)
    found = reader(Path(source), **options)
    if not found.items:
        raise DataError(_nothing(source, found))
    _check_classes(found.classes)
    items = assign_splits(make_unique(found.items), val)
    result = Converted(root, found.classes, found.palette)
    result.skipped += found.skipped
    result.failed += found.failed
    result.examples.update(found.examples)
    _check_earlier(root, items, result)
    _withdraw_summary(root)
    work = partial(write_item, out=root, link=link)
    with closing(run_all(work, items, workers)) as outcomes:
        _write_all(outcomes, len(items), result, progress)
    _write_summary(result, format_name)
    return result


def _withdraw_summary(root: Path) -> None:
    """Remove the summary of an earlier conversion: its figures no longer hold."""
    try:
        (root / SUMMARY).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot write '{root}' ({error.strerror}): name a writable folder"
        ) from error


def _write_all(
    outcomes: Iterable[tuple[Item, Written | SCTNetError]],
    total: int,
    result: Converted,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Work off the ``total`` outcomes and add them to ``result``."""
    for done, (item, written) in enumerate(outcomes, 1):
        if isinstance(written, SCTNetError):
            result.failed.append(str(written))
        else:
            _add(result, item, written)
        if progress is not None:
            progress(done, total)
    result.failed.sort()
    result.empty.sort()
    if not result.images:
        raise DataError(
            f'none of the {total} images could be converted, the first because: '
            f'{result.failed[0]}'
        )


def _check_options(
    format_name: str, reader: Callable[..., Source], options: dict[str, Any]
) -> None:
    known = inspect.signature(reader).parameters
    unknown = options.keys() - known.keys()
    if unknown:
        raise ArgumentError(
            f'{format_name} has no option {min(unknown)!r}: it has '
            f'{", ".join([*known][1:])}'
        )


def _nothing(source: str | os.PathLike, found: Source) -> str:
    reasons = [f'{count} {reason}' for reason, count in found.skipped.items()]
    reasons += found.failed[:1]
    return (
        f"'{source}' has no image to convert ({'; '.join(reasons) or 'it is empty'}): "
        'check the path and the format'
    )


def _check_out(out: Path, inputs: Sequence[Path], overwrite: bool) -> None:
    """See that ``out`` can be written, and nothing of the source with it."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"'{out}' is a file: name a new folder")
    for path in inputs:
        mine, theirs = out.resolve(), path.resolve()
        if theirs.is_relative_to(mine) or (
            theirs.is_dir() and mine.is_relative_to(theirs)
        ):
            raise OutputError(
                f"'{out}' and '{path}' lie in each other: name a folder outside the "
                'source'
            )
    try:
        held = out.is_dir() and any(out.iterdir())
    except OSError as error:
        raise OutputError(
            f"cannot read '{out}' ({error.strerror}): name another folder"
        ) from error
    if held and not overwrite:
        raise OutputError(
            f"'{out}' is not empty: name a new folder, or replace files of the same "
            'names with --overwrite'
        )


def _check_classes(classes: Sequence[str]) -> None:
    if not 2 <= len(classes) <= IGNORED:
        cure = 'merge some' if len(classes) > 1 else 'list or annotate at least two'
        raise DataError(
            f'the source has {len(classes)} classes in all: a label map takes 2 to '
            f'{IGNORED}; {cure}'
        )


def _check_earlier(out: Path, items: Sequence[Item], result: Converted) -> None:
    """See that no earlier conversion left files that would be taken for new ones."""
    ours = {path(out, item) for item in items for path in (image_path, label_path)}
    labels = {f'{item.name}.png' for item in items}
    for part in PARTS:
        folder = out / 'images' / part
        for place, _, names in os.walk(folder):
            for old in (Path(place, name) for name in names):
                if old in ours:
                    continue
                name = old.relative_to(folder).with_suffix('.png').as_posix()
                if name in labels:
                    raise OutputError(
                        f"'{old}' is left from an earlier conversion and would stand "
                        'beside its new copy: name a new folder, or delete this one'
                    )
                result.skipped['images of an earlier conversion, still there'] += 1


def _add(result: Converted, item: Item, written: Written) -> None:
    result.images[str(item.split)] += 1
    result.pixels += written.pixels
    result.skipped += written.notes
    if item.empty:
        result.empty.append(item.name)


def _write_summary(result: Converted, format_name: str) -> None:
    pixels = result.pixels[: len(result.classes)].tolist()
    summary = {
        'format': format_name,
        'classes': result.classes,
        'palette': result.palette,
        'ignore_index': IGNORED,
        'images': {part: result.images[part] for part in PARTS},
        'pixels': dict(zip(result.classes, pixels, strict=True)),
        'ignored_pixels': int(result.pixels[IGNORED]),
        'skipped': dict(sorted(result.skipped.items())),
        'failed': result.failed,
        'empty': result.empty,
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False) + '\n'
    # A name on disk need not be UTF-8; an escape of JSON's stands for such bytes.
    write_bytes(result.root / SUMMARY, text.encode(errors='backslashreplace'))
