"""Converting a data set: reads a format, writes images, label maps, dataset.json."""

import inspect
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np

from ...errors import ArgumentError, DataError, OutputError, SCTNetError
from ...files import atomic_folder, write_bytes
from ..parallel import run_all
from .annotated_images import IGNORED, PARTS, Source
from .formats import FORMATS
from .names import make_unique
from .splits import Splitting, assign_splits
from .write_pair import write_pair

SUMMARY = 'dataset.json'
Progress = Callable[[int, int], None]


@dataclass
class Converted(Source):
    """What a conversion made of a source; ``skipped`` and ``failed`` count all.

    Attributes:
        root: folder of the new data set.
        images: how many are in each part.
        pixels: of each value of the label maps, int64 (256,).
        empty: names of images without annotation, background all over.
    """

    root: Path = Path()
    images: Counter[str] = field(default_factory=Counter)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    empty: list[str] = field(default_factory=list)


def convert(
    format_name: str,
    source: str | os.PathLike,
    out: str | os.PathLike,
    *,
    val: float = 0.1,
    test: float = 0.0,
    group: str | None = None,
    lists: str | os.PathLike | None = None,
    link: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Converted:
    """Convert a data set; the new one appears whole or not at all.

    Args:
        format_name: a name of ``FORMATS``.
        source: what that format's reader takes.
        out: folder to make, new or empty; it becomes the root of the data set.
        val: share of images for validation, where the source has no split.
        test: share of images that are kept for a test, likewise.
        group: regular expression; images stay together whose names agree in it.
        lists: folder of lists of the parts, or a JSON of them, in the source's place.
        link: to the images, instead of copies.
        workers: threads; 0 works in this one, None takes one a core.
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
    reader = FORMATS[format_name].read
    options = _check_options(format_name, reader, options)
    source = Path(source)
    inputs = [value for value in options.values() if isinstance(value, Path)]
    _check_apart(Path(out), [source, *inputs])
    with atomic_folder(out) as folder:
        found = reader(source, **options)
        _check_found(source, found)
        result = Converted(**vars(found), root=Path(out))
        listed = None if lists is None else Path(lists)
        splitting = Splitting(val, test, group, listed)
        unique = make_unique(found.items)
        result.items = assign_splits(unique, splitting, result.skipped)
        make_unique(result.items)  # parts may bring two of one name together
        if not result.items:
            raise DataError(
                f"none of the {len(unique)} images is in a list of '{lists}': write "
                'their names there, without folders or with'
            )
        _write_items(result, folder, link, workers, progress)
        _write_summary(result, format_name, folder)
    return result


def _write_items(
    result: Converted,
    folder: Path,
    link: bool,
    workers: int | None,
    progress: Progress | None,
) -> None:
    """Write all pairs into ``folder`` and add them up in ``result``."""
    work = partial(write_pair, out=folder, link=link)
    with closing(run_all(work, result.items, workers)) as outcomes:
        for done, (item, written) in enumerate(outcomes, 1):
            if isinstance(written, SCTNetError):
                result.failed.append(str(written))
            else:
                pixels, notes = written
                result.images[str(item.split)] += 1
                result.pixels += pixels
                result.skipped += notes
                result.empty += [item.name] if item.empty else []
            if progress is not None:
                progress(done, len(result.items))
    result.failed.sort()
    result.empty.sort()
    if not result.images:
        raise DataError(
            f'none of the {len(result.items)} images could be converted, the first '
            f'because: {result.failed[0]}'
        )


def _check_options(
    format_name: str, reader: Callable[..., Source], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options with those that the reader declares as paths as paths."""
    known = inspect.signature(reader).parameters
    unknown = options.keys() - known.keys()
    if unknown:
        raise ArgumentError(
            f'the format {format_name} has no option {min(unknown)!r} ('
            f'{", ".join([*known][1:])}): leave it out'
        )
    paths = {
        name
        for name, option in known.items()
        if Path in (option.annotation, *get_args(option.annotation))
    }
    return {
        name: Path(value) if name in paths and value is not None else value
        for name, value in options.items()
    }


def _check_apart(out: Path, inputs: Sequence[Path]) -> None:
    """See that nothing of the source would be written over, or read as new."""
    mine = out.resolve()
    for path in inputs:
        theirs = path.resolve()
        if theirs.is_relative_to(mine) or (
            theirs.is_dir() and mine.is_relative_to(theirs)
        ):
            raise OutputError(
                f"'{out}' and '{path}' lie in each other: name a folder outside the "
                'source'
            )


def _check_found(source: Path, found: Source) -> None:
    if not found.items:
        reasons = [f'{count} {reason}' for reason, count in found.skipped.items()]
        reasons += found.failed[:1]
        raise DataError(
            f"'{source}' has no image to convert "
            f'({"; ".join(reasons) or "it is empty"}): check the path and the format'
        )
    if not 2 <= len(found.classes) <= IGNORED:
        many = len(found.classes) > 1
        cure = 'merge some' if many else 'list or annotate at least two'
        raise DataError(
            f'the source has {len(found.classes)} classes in all: a label map takes 2 '
            f'to {IGNORED}; {cure}'
        )


def _write_summary(result: Converted, format_name: str, folder: Path) -> None:
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
    write_bytes(folder / SUMMARY, text.encode(errors='backslashreplace'))
