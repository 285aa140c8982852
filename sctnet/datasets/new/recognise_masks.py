"""What masks mean: indices, 0 and 255 or colours, and the names of their classes."""

import math
import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, SCTNetError
from ...files import find_files, write_bytes
from ..convert.annotated_images import IGNORED
from ..convert.annotation_files import (
    LOSSLESS,
    ColouredMaskError,
    read_colours,
    read_values,
)
from ..convert.class_names import COLOUR_FILES, find_names
from ..convert.pairing import Pairs, find_pairs
from ..images import LOSSY, SUFFIXES
from ..parallel import run_all

SAMPLE = 500  # masks whose colours are counted
MOST = 40  # colours that are listed
SMEARED = 100  # JPEG puts others so far around each
# Asks a question with its choices and the option that answers; returns a choice.
Ask = Callable[[str, Mapping[str, str], str], str]


@dataclass
class Recognised:
    """What a data set is taken for.

    Attributes:
        format_name: of :data:`sctnet.datasets.convert.formats.FORMATS`; None where the
            folder is used as it lies, ``images/train`` beside ``labels/train``.
        source: what that format's reader takes.
        said: the sentence.
        options: of the reader.
    """

    format_name: str | None
    source: Path
    said: str
    options: dict[str, Any] = field(default_factory=dict)


def recognise_masks(
    data: Path, ask: Ask, masks: Path | None, given: Mapping[str, Any]
) -> Recognised:
    """Look at images and masks; raises and takes what ``recognise`` does."""
    pairs = find_pairs(data, masks)
    if not pairs.pairs:
        images = len(find_files(data, SUFFIXES))
        if (data / 'data.yaml').is_file() and find_files(data, '.txt'):
            raise DataError(
                f"'{data}' looks like YOLO's text files, which are not read: "
                'export as "COCO JSON" or as masks'
            )
        raise DataError(
            f"'{data}' has {images} images and no mask that belongs to one, nor an "
            'annotation file of a known form: put masks into a folder masks beside '
            'images, name their folder with --masks, or name '
            'the format with --format'
        )
    options: dict[str, Any] = {} if masks is None else {'masks': masks}
    if given.get('colours'):
        return _colours(data, pairs, {**options, 'colours': given['colours']})
    try:
        seen = _values([mask for _, mask, _ in pairs.pairs])
    except ColouredMaskError:
        return _colours(data, pairs, options)
    except DataError:
        try:
            return _colours(data, pairs, options)  # JPEG may hold colours
        except UnnamedColoursError as error:
            if len(error.shares) > 1:
                raise
        raise
    image, mask, _ = pairs.pairs[0]
    said = (
        f'{len(pairs.pairs)} images with index masks, such as {image.name} with '
        f'{mask.name}, of the values {_few(seen)}'
    )
    known = None if given.get('classes') else find_names(data)
    mapping = given.get('mapping')
    binary = len(seen) == 2 and seen[0] == 0 and seen[1] in (1, 255)
    if mapping is None and binary and seen[1] == 255:
        mapping = options['mapping'] = _ask_of_255(ask)
    if given.get('classes'):
        pass
    elif known is not None:
        said += f", named by '{known.file.name}'"
    elif binary:
        options['classes'] = ('background', 'object')
    else:
        options['classes'] = _made_up(seen, mapping)
    return Recognised('masks', data, said, options)


def are_coloured(folder: Path) -> bool:
    """Whether one of the first masks below a folder is in colours, or all are JPEG."""
    masks = find_files(folder, LOSSLESS)
    try:
        _values(masks[:SAMPLE])
    except ColouredMaskError:
        return True
    except DataError:  # named when it is converted
        return False
    return not masks and bool(find_files(folder, LOSSY))


def _values(masks: list[Path]) -> list[int]:
    """Return all values that masks hold; a broken mask is named when it is converted.

    Raises:
        DataError: the first one is no index mask.
    """
    found: set[int] = set()
    wrong: SCTNetError | None = None
    with closing(run_all(lambda mask: np.unique(read_values(mask)), masks)) as all_:
        for _, values in all_:
            if isinstance(values, ColouredMaskError):
                raise values
            if isinstance(values, SCTNetError):
                wrong = values
            else:
                found.update(map(int, values))
    if not found and wrong is not None:
        raise wrong
    return sorted(found)


def _ask_of_255(ask: Ask) -> str:
    answer = ask(
        'The masks hold 0 and 255. Is 255 the object, or does it mean "ignore"?',
        {'object': '0 is the background, 255 the object', 'ignore': '255 counts not'},
        '--map 0:0,255:1 or --map 0:0,255:ignore',
    )
    return '0:0,255:1' if answer == 'object' else '0:0,255:ignore'


class UnnamedColoursError(DataError):
    """Masks are in colours, and nothing says which class each of them is.

    Attributes:
        problem: what this says without its remedy.
        shares: of the pixels, by colour, the most frequent first.
    """

    def __init__(self, data: Path, shares: Mapping[tuple[int, ...], float]) -> None:
        listed = ', '.join(f'{c} {100 * s:.2g} %' for c, s in shares.items())
        self.problem = (
            f"the masks of '{data}' are in colours, and no list says which class each "
            f'is ({listed})'
        )
        self.shares = shares
        super().__init__(f'{self.problem}: name a list of name,R,G,B with --colours')


def with_list(error: UnnamedColoursError, file: Path) -> ArgumentError:
    """Write a list of colours to put names into, unless one is there; name it."""
    if not file.exists():
        lines = [
            f'class {n},{",".join(map(str, colour))}  # {100 * share:.2g} %'
            for n, (colour, share) in enumerate(error.shares.items())
        ]
        text = '# name,R,G,B and share of the pixels; "ignore" stands for no class\n'
        write_bytes(file, (text + '\n'.join([*lines, ''])).encode())
    return ArgumentError(
        f"{error.problem}: correct the names in '{file}', which lists them, and add "
        f'--colours {shlex.quote(str(file))}, for JPEG or smeared edges with '
        '--tolerance 100'
    )


def _colours(data: Path, pairs: Pairs, options: dict[str, Any]) -> Recognised:
    file = options.get('colours')
    if file is None:
        known = find_names(data)
        if known is None or not known.palette or known.file.name not in COLOUR_FILES:
            raise UnnamedColoursError(data, _shares([m for _, m, _ in pairs.pairs]))
        file = known.file
    image, mask, _ = pairs.pairs[0]
    said = (
        f'{len(pairs.pairs)} images with colour masks, such as {image.name} with '
        f"{mask.name}, with the colours of '{Path(file).name}'"
    )
    return Recognised('colours', data, said, {**options, 'colours': file})


def _shares(masks: list[Path]) -> dict[tuple[int, ...], float]:
    """Return the most frequent colours of masks, and their shares of the pixels."""
    counts: Counter[int] = Counter()
    with closing(run_all(_count_colours, masks[:SAMPLE])) as all_:
        for _, counted in all_:
            if not isinstance(counted, SCTNetError):
                counts += counted
    total = counts.total() or 1
    found: dict[tuple[int, ...], float] = {}
    apart = SMEARED if any(mask.suffix.lower() in LOSSY for mask in masks) else 0
    for value, count in counts.most_common():
        colour = value >> 16, value >> 8 & 255, value & 255
        if all(math.dist(colour, other) > apart for other in found):
            found[colour] = count / total
        if len(found) == MOST:
            break
    return found


def _count_colours(mask: Path) -> Counter[int]:
    pixels = read_colours(mask, lossy=True).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    values, counts = np.unique(packed, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _made_up(seen: list[int], mapping: str | None) -> list[str]:
    """Return names for classes that have none: as many as there are labels.

    Raises:
        ArgumentError: the values are no numbering of classes.
    """
    labels = [value for value in seen if value != IGNORED]
    if mapping is not None:
        targets = (pair.partition(':')[2].strip() for pair in mapping.split(','))
        labels = [int(target) for target in targets if target.isdigit()]
    if labels and (min(labels) < 0 or max(labels) > 2 * len(labels) + 8):
        raise ArgumentError(
            f'the masks hold the values {_few(labels)}, which are no numbers of '
            'classes: say which class each is, such as --map 0:0,60:1,120:2'
        )
    return [f'class {number}' for number in range(max([1, *labels]) + 1)]


def _few(values: list[int]) -> str:
    text = ', '.join(map(str, values[:8]))
    return f'{text}, ... {values[-1]}' if len(values) > 8 else text
