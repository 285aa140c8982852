"""Which images a data set of YOLO's form has, and which part each is in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from .....errors import DataError
from .....files import find_files
from ....images import SUFFIXES
from ...annotated_images import Source
from ...annotation_files import read_text, read_yaml
from ...names import output_name
from ...splits import part_of, split_by_folder, without_part

Listed = tuple[str | None, Path, str]  # part, image, the name to be made


def find_listing(folder: Path) -> Path | None:
    """Return the YAML that names the classes, or Label Studio's classes.txt.

    Without parts, as supervision writes it, the images lie beside the labels.
    """
    labels = (folder / 'labels').is_dir()
    for file in sorted(folder.glob('*.y*ml'), key=lambda file: file.stem != 'data'):
        try:
            content = read_yaml(file)
        except DataError:
            if file.stem == 'data' and labels:
                raise
            continue
        if content.get('names') and ('train' in content or labels):
            return file
    # labelImg's lies among the labels.
    names = [folder / 'classes.txt', folder / 'labels' / 'classes.txt']
    return next((file for file in names if file.is_file() and labels), None)


def list_images(file: Path, found: Source) -> Iterable[Listed]:
    """Return the images of data.yaml, or of the folder images where it names none.

    Raises:
        DataError: those to train on are not there, or one is in two parts.
    """
    if file.suffix == '.txt' or 'train' not in read_yaml(file):
        return _of_folder(file, found)
    return _of_yaml(file, found)


def _of_yaml(file: Path, found: Source) -> Iterator[Listed]:
    content = read_yaml(file)
    # The path is that of another machine, or of Ultralytics' folder of data sets.
    stated = file.parent / str(content.get('path') or '.')
    roots = [root for root in (stated, file.parent) if root.is_dir()]
    seen: dict[Path, str] = {}
    for key, value in content.items():
        part = part_of(str(key))
        for entry in value if isinstance(value, list) else [value]:
            if part is None or not entry:
                continue
            place = _find(str(entry), roots, found)
            if place is None and part == 'train':
                raise DataError(
                    f"'{file}' has {key}: {entry}, which is not there: correct it to a "
                    'folder of images, or a list, beside that file'
                )
            if place is None:
                found.leave_out('parts of data.yaml that are not there', entry)
                continue
            for image in _images_at(place, roots, found):
                before = seen.setdefault(image.resolve(), part)
                if before != part:
                    raise DataError(
                        f"'{image}' is in the parts {before} and {part} of '{file}': "
                        'take it out of one, or leave that line out'
                    )
                yield part, image, _name(image, place)


def _of_folder(file: Path, found: Source) -> list[Listed]:
    above = file.parent.parent if file.parent.name == 'labels' else file.parent
    folder = above / 'images'
    listed = split_by_folder(folder, find_files(folder, SUFFIXES), found.skipped)
    return [(part, image, name) for image, part, name in listed]


def _find(entry: str, roots: Sequence[Path], found: Source) -> Path | None:
    """Return what is meant: Roboflow writes ../train/images for train/images.

    A path of another machine is found by its end, of two parts or more, and counted.
    """
    parts = [part for part in re.split(r'[/\\]', entry) if part not in ('', '.', '..')]
    places = [root / name for name in (Path(*parts), entry) for root in roots]
    place = next((place for place in places if place.exists()), None)
    if place is not None:
        return place
    ends = (Path(*parts[start:]) for start in range(1, len(parts) - 1))
    places = [root / end for end in ends for root in roots]
    place = next((place for place in places if place.exists()), None)
    if place is not None:
        found.leave_out('folders of paths, which are not there', entry)
    return place


def _images_at(place: Path, roots: Sequence[Path], found: Source) -> list[Path]:
    """Return the images of a folder, or of a list, whose lines begin beside it."""
    if place.is_dir():
        return find_files(place, SUFFIXES)
    lines = (line.strip() for line in read_text(place).splitlines())
    starts = [*roots, place.parent]
    return [_find(line, starts, found) or starts[0] / line for line in lines if line]


def _name(image: Path, place: Path) -> str:
    """Return the name to be made: what follows images/train, or the part's folder."""
    if place.is_dir():
        return output_name(image.relative_to(place))
    *above, name = image.parts
    after = above[::-1].index('images') if 'images' in above else 0
    _, rest = without_part(Path(*above[len(above) - after :], name))
    return output_name(rest)
