"""Converting a data set: reads a format, writes images, label maps, dataset.json."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from ...errors import ArgumentError, DataError, OutputError, SCTNetError
from ...files import atomic_folder
from ..parallel import run_all
from .annotated_images import Item, Source
from .choose_classes import Choice, choose
from .converted import Converted, count, write_summary
from .formats import FORMATS
from .names import make_unique
from .options import option_of
from .sharing import Splitting, assign_splits
from .stratify import move_stratified
from .tiles import Tiling
from .write_pair import Written, turn_alike, write_pair

Progress = Callable[[int, int], None]


def convert(
    format_name: str,
    source: str | os.PathLike,
    out: str | os.PathLike,
    *,
    rename: str | Mapping[str, str] | None = None,
    keep: str | Sequence[str] | None = None,
    val: float | None = None,
    test: float | None = None,
    group: str | None = None,
    lists: str | os.PathLike | None = None,
    stratify: bool = False,
    tile: int | None = None,
    overlap: int = 0,
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
        rename: new names of classes; two that become one are merged, and ``ignore``
            is 255.
        keep: names, after that, in their order; other classes are dropped. Formats
            without ``classes`` of their own take that word, too.
        val: share of images for validation, where the source has none; a tenth.
        test: share of images that are kept for a test, likewise; none.
        group: regular expression; images stay together whose names agree in it.
        lists: folder of lists of the parts, or a JSON of them, in the source's place.
        stratify: spread each class's images over the parts.
        tile: side of the tiles that larger images are cut into.
        overlap: of neighbouring tiles, in pixels.
        link: to the images, instead of copies.
        workers: threads; 0 works in this one, None takes one a core.
        progress: called as progress(done, total) after every image.
        **options: of the format's ``read``.

    Raises:
        ArgumentError: an option out of range, or an extra that is not installed.
        DataError: the source cannot be read, or nothing in it can be converted.
        OutputError: ``out`` holds something, lies inside the source, or is full.
    """
    reader = _reader(format_name)
    if keep is None and 'classes' not in inspect.signature(reader).parameters:
        keep = options.pop('classes', None)
    options = _check_options(format_name, reader, options)
    listed = None if lists is None else Path(lists)
    splitting = Splitting(val, test, group, listed, stratify)
    tiling = _tiling(tile, overlap)
    source = Path(source)
    inputs = [value for value in options.values() if isinstance(value, Path)]
    _check_apart(Path(out), [source, *inputs])
    with atomic_folder(out) as folder:
        found = reader(source, **options)
        _check_found(source, found)
        choice = choose(found, rename, keep)
        _mark_empty(found, choice)
        _check_found(source, found)
        result = Converted(**vars(found), root=Path(out))
        result.became = choice.became() if rename or keep else {}
        _share_out(result, splitting)
        work = partial(write_pair, out=folder, link=link, choice=choice, tiling=tiling)
        written = _write_items(result, work, workers, progress)
        turn_alike(result.items, written, work)
        if stratify:
            move_stratified(result, written, splitting, folder)
        count(result, written)
        write_summary(result, format_name, folder)
    return result


def _reader(format_name: str) -> Callable[..., Source]:
    if format_name not in FORMATS:
        raise ArgumentError(
            f'there is no format {format_name!r}: take one of {", ".join(FORMATS)}'
        )
    return FORMATS[format_name].read


def _share_out(result: Converted, splitting: Splitting) -> None:
    """Give each image a part, and a name of its own in it."""
    unique = make_unique(result.items, result.said)
    items = assign_splits(unique, splitting, result.skipped, result.said)
    # Parts may bring two of one name together.
    result.items = make_unique(items, result.said, beside='train')
    if not result.items:
        raise DataError(
            f"none of the {len(unique)} images is in a list of '{splitting.lists}': "
            'write their names there, without folders or with'
        )


def _tiling(tile: int | None, overlap: int) -> Tiling | None:
    if tile is None:
        if overlap:
            raise ArgumentError(
                f'--overlap {overlap} is of tiles: give their side, too, such as '
                '--tile 1024'
            )
        return None
    return Tiling(tile, overlap)


def _mark_empty(found: Source, choice: Choice) -> None:
    """Find the images of which no shape is left, and leave them out where asked."""
    items, found.items = found.items, []
    for item in items:
        if item.labels is not None:
            item = replace(item, empty=not choice.keeps(item.labels))
        if item.empty and found.skip_empty:
            found.leave_out('images without annotation', item.image)
        else:
            found.items.append(item)


def _write_items(
    result: Converted,
    work: Callable[[Item], Written],
    workers: int | None,
    progress: Progress | None,
) -> list[Written | None]:
    """Write all pairs; return what was made of each item, None of a broken one."""
    made: list[Written | None] = []
    with closing(run_all(work, result.items, workers)) as outcomes:
        for done, (_, written) in enumerate(outcomes, 1):
            if isinstance(written, SCTNetError):
                result.failed.append(str(written))
                made.append(None)
            else:
                made.append(written)
            if progress is not None:
                progress(done, len(result.items))
    result.failed.sort()
    if not any(made):
        raise DataError(
            f'none of the {len(result.items)} images could be converted{_why(result)}, '
            f'the first because: {result.failed[0]}'
        )
    return made


def _check_options(
    format_name: str, reader: Callable[..., Source], options: dict[str, Any]
) -> dict[str, Any]:
    """Return the options with those that the reader declares as paths as paths."""
    known = inspect.signature(reader).parameters
    unknown = options.keys() - known.keys()
    if unknown:
        raise ArgumentError(
            f'the format {format_name} has no option {option_of(min(unknown))} ('
            f'{", ".join(map(option_of, [*known][1:]))}): leave it out'
        )
    needed = [n for n, option in known.items() if option.default is option.empty][1:]
    lacking = [name for name in needed if options.get(name) is None]
    if lacking:
        raise ArgumentError(
            f'the format {format_name} needs --{lacking[0]}: see sctnet convert '
            f'{format_name} --help'
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


def _why(found: Source) -> str:
    reasons = '; '.join(f'{count} {reason}' for reason, count in found.skipped.items())
    return reasons and f' ({reasons})'


def _check_found(source: Path, found: Source) -> None:
    if not found.items:
        first = f' ({found.failed[0]})' if found.failed else ''
        raise DataError(
            f"'{source}' has no image to convert"
            f'{_why(found) + first or " (it is empty)"}: check the path and the format'
        )
