"""Names of classes, where tools leave them beside the data."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import DataError
from .annotation_files import read_any_json, read_text, read_yaml

COLOUR_FILES = ('labelmap.txt', 'label_colors.txt', 'class_dict.csv')
Palette = list[list[int]]


class Names(NamedTuple):
    """What a file says of the classes.

    ``classes`` are in the order of the stored values, ``palette`` has the RGB of each,
    if it is known, and ``file`` says where.
    """

    classes: tuple[str, ...]
    palette: Palette | None
    file: Path


def find_names(folder: Path) -> Names | None:
    """Return what the first file of a known name says, in a folder or one of its own.

    Raises:
        DataError: there is such a file, and it cannot be read.
    """
    for name in _READERS:
        for file in (folder / name, *sorted(folder.glob(f'*/{name}'))):
            found = read_names(file) if file.is_file() else None
            if found is not None:
                return _same_everywhere(found, folder.glob(f'*/{name}'))
    return None


def _same_everywhere(found: Names, others: Iterable[Path]) -> Names:
    """See that the parts of a data set agree; raises DataError."""
    for file in others:
        other = read_names(file)
        if other is not None and other[:2] != found[:2]:
            raise DataError(
                f"'{found.file}' and '{file}' name other classes, or in another order: "
                'make them alike, or give the names with --classes'
            )
    return found


def read_names(file: Path) -> Names | None:
    """Read a file of one of the known names, or YAML; None if it is another tool's.

    Raises:
        DataError: it says nothing, or names a class or a colour twice.
    """
    of_yolo = file.suffix in ('.yaml', '.yml')  # which may have any name
    classes, palette = (_of_yaml if of_yolo else _READERS[file.name])(file)
    if not classes and file.name.startswith('dataset'):
        return None
    if not classes or len(set(classes)) < len(classes):
        raise DataError(
            f"'{file}' names the classes {list(classes)}: expected each once; correct "
            'it, or give them with --classes'
        )
    if palette is not None:
        colours = [tuple(colour) for colour in palette if isinstance(colour, list)]
        if not is_palette(palette, len(classes)) or len(set(colours)) < len(colours):
            raise DataError(
                f"'{file}' has the colours {palette}: expected one for each of the "
                f'{len(classes)} classes, three numbers from 0 to 255, and none twice'
            )
    return Names(tuple(classes), palette, file)


def _of_lines(file: Path) -> tuple[Sequence[str], Palette | None]:
    lines = (line.strip() for line in read_text(file).splitlines())
    # labelme's list begins with these two.
    renamed = {'_background_': 'background', '__ignore__': ''}
    names = [n for n in (renamed.get(x, x) for x in lines) if n and n[0] != '#']
    if len(names) == 1:
        names = [name.strip() for name in names[0].split(',')]
    numbered = [re.match(r'(\d+)[\s:,;.)]+(.+)', name) for name in names]
    pairs = [(int(match[1]), match[2].strip()) for match in numbered if match]
    numbers = {number for number, _ in pairs}  # of each its own, from 0 or 1 on
    count = len(names)
    if len(numbers) == count and min(numbers) < 2 and max(numbers) <= 2 * count:
        return _by_number(pairs, file), None
    return names, None


def _of_json(file: Path) -> tuple[Sequence[str], Palette | None]:
    content = read_any_json(file)
    if isinstance(content, Mapping):
        for key in ('classes', 'labels', 'names', 'categories', 'label_map'):
            if isinstance(content.get(key), list | Mapping):
                return _listed(content[key], file), _palette(content)
        if file.name.startswith('dataset'):  # of some other tool
            return (), None
    return _listed(content, file), None


def _palette(content: Mapping[str, Any]) -> Palette | None:
    colours = content.get('palette') or content.get('segmentation_colors')
    return colours if isinstance(colours, list) else None


def is_palette(palette: Any, count: int) -> bool:
    """Whether something is a list of ``count`` colours, each three bytes."""
    if not isinstance(palette, list | tuple) or len(palette) != count:
        return False
    return all(
        isinstance(colour, list | tuple)
        and len(colour) == 3
        and all(type(part) is int and 0 <= part <= 255 for part in colour)
        for colour in palette
    )


def _listed(content: Any, file: Path) -> Sequence[str]:
    """Return names by index, of a list, or of a dict either way round."""
    pairs: list[tuple[int, str]] = []
    try:
        if isinstance(content, Mapping):
            for key, value in content.items():
                number, name = (value, key) if _is_number(value) else (key, value)
                pairs.append((int(number), str(name)))
        else:
            for place, entry in enumerate(content):
                if isinstance(entry, Mapping):
                    place = int(entry.get('id', entry.get('trainId', place)))
                    entry = entry.get('readable') or entry['name']
                pairs.append((place, str(entry)))
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(
            f"'{file}' has no names of classes: expected a list of names, or one by "
            'number, such as {"0": "background", "1": "road"}'
        ) from error
    return _by_number(pairs, file)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _by_number(pairs: Sequence[tuple[int, str]], file: Path) -> Sequence[str]:
    """Return names in the order of their numbers; what is between has a made-up one."""
    found: dict[int, str] = {}
    for number, name in pairs:
        if found.setdefault(number, name) != name or not 0 <= number < 255:
            raise DataError(
                f"'{file}' gives '{name}' the number {number}: expected each number "
                'from 0 to 254 once; correct it, or give names with --classes'
            )
    count = max(found, default=-1) + 1
    return [found.get(number, f'class {number}') for number in range(count)]


def _of_yaml(file: Path) -> tuple[Sequence[str], Palette | None]:
    names = read_yaml(file).get('names')
    return (_listed(names, file) if names else []), None


def _of_csv(file: Path) -> tuple[Sequence[str], Palette | None]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(_lines(file))]
    pairs = [(int(row[0]), row[1]) for row in rows if len(row) > 1 and row[0].isdigit()]
    return _by_number(pairs, file), None


def _of_labelmap(file: Path) -> tuple[Sequence[str], Palette | None]:
    names, palette = [], []
    for line in _lines(file):
        name, _, rest = line.partition(':')
        numbers = [int(n) for n in re.findall(r'\d+', rest.partition(':')[0])]
        names.append(name.strip())
        palette.append(numbers[:3])
    return names, palette if all(len(colour) == 3 for colour in palette) else None


def _of_colours(file: Path) -> tuple[Sequence[str], Palette | None]:
    names, palette = [], []
    for line in _lines(file):
        match = re.match(r'\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(.+?)\s*$', line)
        if match:
            names.append(match[4])
            palette.append([int(match[i]) for i in (1, 2, 3)])
    return names, palette


def _of_class_dict(file: Path) -> tuple[Sequence[str], Palette | None]:
    rows = [[cell.strip() for cell in row] for row in csv.reader(_lines(file))]
    rows = [row for row in rows if len(row) > 3 and all(n.isdigit() for n in row[1:4])]
    return [row[0] for row in rows], [[int(n) for n in row[1:4]] for row in rows]


def _lines(file: Path) -> list[str]:
    lines = read_text(file).splitlines()
    return [line for line in lines if line.strip() and not line.startswith('#')]


_READERS: dict[str, Callable[[Path], tuple[Sequence[str], Palette | None]]] = {
    'dataset.json': _of_json,  # our own
    'dataset_meta.json': _of_json,  # Datumaro's
    '_classes.csv': _of_csv,  # Roboflow's
    'labelmap.txt': _of_labelmap,  # CVAT's
    'label_colors.txt': _of_colours,  # CamVid's
    'class_dict.csv': _of_class_dict,  # of Kaggle's copies
    'classes.txt': _of_lines,
    'classes.json': _of_json,
    'data.yaml': _of_yaml,  # YOLO's
    'labels.txt': _of_lines,
}
