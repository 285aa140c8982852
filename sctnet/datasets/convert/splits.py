"""The parts that a source brings: folders and lists called train, val and test."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from .names import output_name

# What tools and people call the parts, in small letters.
USUAL_NAMES = {
    **dict.fromkeys(('train', 'training', 'trn'), 'train'),
    **dict.fromkeys(('val', 'valid', 'validation', 'dev'), 'val'),
    **dict.fromkeys(('test', 'testing', 'tst'), 'test'),
}
# Beside one of them: training set, train_images, val_list.
_FILLERS = {
    *('set', 'split', 'data', 'dataset', 'images', 'imgs', 'labels', 'masks', 'list'),
    *('files', 'annotations'),
}
_DOUBTFUL = re.compile(
    'holdout|held|hold|eval|evaluation|unseen|minival|trainval|testdev|validate'
    '|(?:train|trains|training|val|vals|valid|test|tests|testing)(?:[0-9]+|[a-z])?'
)


def part_of(name: str) -> str | None:
    """Return the part that a folder or list of this name holds; None for others."""
    words = [word for word in _words(name) if word not in _FILLERS]
    if len(words) != 1:
        return None
    word = words[0]
    return USUAL_NAMES.get(word) or USUAL_NAMES.get(word.removesuffix('set'))


def part_in(path: Path) -> str | None:
    """Return the part that the last such word of a relative path names."""
    words = re.split('[^a-z]+', str(path.with_suffix('')).lower())
    return next((part for part in map(part_of, reversed(words)) if part), None)


def _words(name: str) -> list[str]:
    """Return the words of a name, without a year: ``train2017``."""
    small = re.sub('(?<![0-9])(?:19|20)[0-9]{2}$', '', name.lower())
    return [word for word in re.split('[-_. ]+', small) if word]


def is_doubtful(name: str) -> bool:
    """Whether a folder looks like a part, and is none that is known."""
    found = any(_DOUBTFUL.fullmatch(word) for word in _words(name))
    return found and part_of(name) is None


def without_part(path: Path) -> tuple[str | None, Path]:
    """Return the part that a relative path's folders name, and the path without it."""
    for index, folder in enumerate(path.parts[:-1]):
        part = part_of(folder)
        if part is not None:
            return part, Path(*path.parts[:index], *path.parts[index + 1 :])
    return None, path


def split_by_folder(
    folder: Path, files: Iterable[Path], skipped: Counter[str]
) -> list[tuple[Path, str | None, str]]:
    """Return (file, split, name) of each file below ``folder``.

    Folders of a usual name, one of them for training, are the splits. Files elsewhere
    are then counted in ``skipped``. Without such folders the split is None.
    """
    found = [(file, *without_part(file.relative_to(folder))) for file in files]
    if all(part != 'train' for _, part, _ in found):
        return [(f, None, output_name(f.relative_to(folder))) for f, _, _ in found]
    for _, part, path in found:
        if part is None:
            inside = f', in {path.parts[0]!r}' if len(path.parts) > 1 else ''
            skipped[f'files beside the folders of the parts{inside}'] += 1
    return [(f, part, output_name(rest)) for f, part, rest in found if part is not None]
