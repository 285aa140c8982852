"""Run lengths in a CSV: an image's name and pairs of start and length, as of Kaggle.

Starts count from 1, down the columns, or with --row-major along the rows (of itself in
columns called annotation or segmentation); it stops where columns would make stripes.
Empty cells, nan and -1 are images without an object. An image may have several lines,
each of a class: a column ClassId, or a part of the name, as in a.jpg_Fish. Without
classes there are the background and the object.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from .....errors import ArgumentError, DataError
from .....files import find_files
from ....images import SUFFIXES, read_header
from ...annotated_images import (
    ImageFile,
    Item,
    Shape,
    Size,
    Source,
    check_size,
)
from ...names import output_name
from ...options import of_shapes
from ...pairing import is_mask
from ...recognised import Ask, Recognised
from .csv_lines import OBJECT, Line, class_key, find_csvs, read_lines

SOURCE = 'CSV file, or folder with one'
_SAMPLE = 20  # images of which some runs are looked at


def read(
    source: Path,
    images: Path | None = None,
    row_major: bool | None = None,
    unlisted: bool = False,
    order: str = 'file',
    background: str = 'background',
    skip_empty: bool = False,
) -> Source:
    """List the images that have a line; raises ArgumentError, DataError."""
    file = _one_csv(source)
    rows, by_rows = read_lines(file)
    lines = [line for group in rows.values() for line in group]
    names = {line.name for line in lines if line.runs or line.name != OBJECT}
    listed = sorted(names, key=class_key)
    found = of_shapes(listed, background, order, skip_empty)
    found.open = True
    index = {name: found.classes.index(name) for name in names}
    by_name = _by_name(images or file.parent)
    if row_major is None and not by_rows:
        _check_direction(file, rows, by_name)
    used: set[Path] = set()
    for name, group in rows.items():
        same = by_name.get(name) or by_name.get(Path(name).stem) or []
        if len(same) != 1:
            found.failed.append(_not_one(file, group[0].number, name, same))
            continue
        used.add(same[0])
        kept = [line for line in group if line.runs]
        shapes = [(index[line.name], line) for line in kept]
        draw = partial(_draw, file, shapes, row_major or by_rows)
        kinds = frozenset(label for label, _ in shapes)
        found.items.append(_item(same[0], draw, kinds))
    folders = {path.parent for path in used}
    for path in sorted({path for paths in by_name.values() for path in paths} - used):
        if unlisted and path.parent in folders:
            draw = partial(_draw, file, [], False)
            found.items.append(_item(path, draw, frozenset()))
        else:
            found.leave_out('images that no line names', path)
    return found


def recognise(data: Path, ask: Ask) -> Recognised | None:
    """Look for a CSV of run lengths, and ask which is meant of several."""
    files = find_csvs(data) if data.is_dir() else [data]
    csvs = {path.name: path for path in files if path.suffix.lower() == '.csv'}
    if not csvs:
        return None
    chosen = next(iter(csvs))
    if len(csvs) > 1:
        names = dict.fromkeys(csvs, 'run lengths')
        option = f"{data / chosen} in the folder's place"
        chosen = ask(f"Which CSV of '{data}' is meant?", names, option)
    return Recognised('run_lengths', csvs[chosen], f"run lengths in '{chosen}'")


def _item(image: Path, draw: partial, labels: frozenset[int]) -> Item:
    name = output_name(image.name)
    return Item(name, None, ImageFile(image), draw, labels=labels)


def _one_csv(source: Path) -> Path:
    if not source.is_dir():
        return source
    files = find_csvs(source)
    if len(files) != 1:
        raise DataError(
            f"'{source}' has {len(files)} CSV files of run lengths ("
            f'{", ".join(file.name for file in files)}): name the file itself'
        )
    return files[0]


def _by_name(folder: Path) -> dict[str, list[Path]]:
    """Return the images below a folder by their names, with and without suffix.

    Masks that lie there too, in a folder of their own, are none.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    files = find_files(folder, SUFFIXES)
    for path in [file for file in files if not is_mask(folder, file)] or files:
        found[path.name].append(path)
        found[path.stem].append(path)
    return found


def _not_one(file: Path, number: int, name: str, same: Sequence[Path]) -> str:
    where = f"'{file}', line {number}, names '{name}'"
    if not same:
        return f'{where}, which is no image beside it: name their folder with --images'
    return (
        f"{where}, which '{same[0]}' and '{same[1]}' are: name the folder of one "
        'with --images'
    )


def _check_direction(
    file: Path, rows: Mapping[str, list[Line]], by_name: Mapping[str, list[Path]]
) -> None:
    """See that the runs of some lines make no stripes; raises ArgumentError."""
    pieces = [0, 0]
    for name, group in [*rows.items()][:_SAMPLE]:
        same = by_name.get(name) or by_name.get(Path(name).stem) or []
        width, height = (same and read_header(str(same[0]))[0]) or (0, 0)
        for line in group[:5] if same else ():
            for by_rows in (False, True):
                with suppress(DataError):  # said when it is drawn
                    covered = decode_runs(line.runs, (height, width), by_rows)
                    found, _ = cv2.connectedComponents(covered.astype(np.uint8))
                    pieces[by_rows] += found - 1
    if pieces[0] > 2 * pieces[1]:
        raise ArgumentError(
            f"the runs in '{file}' make {pieces[0]} pieces down the columns and "
            f'{pieces[1]} along the rows: say which way they go, with --row-major or '
            '--no-row-major'
        )


def _draw(
    file: Path,
    lines: Sequence[tuple[int, Line]],
    by_rows: bool,
    size: Size,
    notes: Counter[str],
) -> list[Shape]:
    """Return the shapes of labels and the runs of their lines."""
    shapes = []
    for label, line in lines:
        check_size(line.stated, size)
        where = f"'{file}', line {line.number},"
        cover = partial(decode_runs, line.runs, size, by_rows, where)
        shapes.append(Shape(label, cover))
    return shapes


def decode_runs(
    runs: str, size: Size, by_rows: bool = False, where: str = 'the line'
) -> np.ndarray:
    """Return which pixels run lengths cover, bool (H, W).

    Args:
        runs: pairs of a start, from 1, and a length.
        size: height and width.
        by_rows: they are counted along the rows, else down the columns.
        where: what errors begin with.

    Raises:
        DataError: they are no such pairs, not in order, or lead out of the image.
    """
    try:
        numbers = [int(number) for number in runs.split()]
    except ValueError as error:
        raise DataError(
            f'{where} has runs that are no whole numbers ({runs[:20]!r}): expected '
            'pairs of start and length, such as 1 3 10 5'
        ) from error
    if len(numbers) % 2:
        raise DataError(
            f'{where} has {len(numbers)} numbers: expected pairs of start and length'
        )
    flat = np.zeros(size[0] * size[1], bool)
    last = 1
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        if start < last or length < 0:
            raise DataError(
                f'{where} has a run of {length} from {start} behind one that ends at '
                f'{last - 1}: expected starts from 1 in rising order; relative ones '
                'are not read'
            )
        last = start + length
        if last - 1 > flat.size:
            raise DataError(
                f'{where} has a run to {last - 1} and the image {flat.size} pixels: it '
                'was resized after labelling; use the image that was labelled'
            )
        flat[start - 1 : last - 1] = True
    return flat.reshape(size) if by_rows else flat.reshape(size[::-1]).T
