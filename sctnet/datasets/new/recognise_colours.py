"""Masks in colours: which there are, and the list that names them."""

import math
import shlex
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ArgumentError, DataError, SCTNetError
from ...files import write_bytes
from ..convert.annotation_files import read_colours
from ..convert.class_names import COLOUR_FILES, find_names
from ..convert.pairing import Pairs
from ..convert.recognised import Recognised
from ..images import LOSSY, amount
from ..parallel import run_all

SAMPLE = 500  # masks whose colours are counted
MOST = 40  # colours that are listed
SMEARED = 100  # JPEG and resizing put others so far around each
RARE = 0.001  # of the pixels, where they are smeared


class UnnamedColoursError(DataError):
    """Masks are in colours, and nothing says which class each of them is.

    Attributes:
        problem: what this says without its remedy.
        shares: of the pixels, by colour, the most frequent first.
        least: share below which a colour is taken for one of a smeared edge.
    """

    def __init__(
        self, data: Path, shares: Mapping[tuple[int, ...], float], smeared: bool
    ) -> None:
        listed = ', '.join(f'{c} {100 * s:.2g} %' for c, s in shares.items())
        self.problem = (
            f"the masks of '{data}' are in colours, and no list says which class each "
            f'is ({listed})'
        )
        self.shares = shares
        self.least = RARE if smeared else 0.0
        super().__init__(f'{self.problem}: name a list of name,R,G,B with --colours')


def with_list(error: UnnamedColoursError, file: Path) -> ArgumentError:
    """Write a list of colours to put names into, unless one is there; name it."""
    if not file.exists():
        lines = [
            f'{"# " * (share < error.least)}class {n},{",".join(map(str, colour))}  '
            f'# {100 * share:.2g} %'
            for n, (colour, share) in enumerate(error.shares.items())
        ]
        text = '# name,R,G,B and share of the pixels; "ignore" stands for no class,\n'
        text += '# and what begins with # is left out, such as colours of edges\n'
        write_bytes(file, (text + '\n'.join([*lines, ''])).encode())
    return ArgumentError(
        f"{error.problem}: correct the names in '{file}', which lists them, and add "
        f'--colours {shlex.quote(str(file))}, for JPEG or smeared edges with '
        f'--tolerance {250 if error.least else 100}'
    )


def recognise_colours(data: Path, pairs: Pairs, options: dict[str, Any]) -> Recognised:
    """Return how masks in colours are read; raises UnnamedColoursError."""
    file = options.get('colours')
    if file is None:
        known = find_names(data) or find_names(options.get('masks', data))
        if known is None or not known.palette or known.file.name not in COLOUR_FILES:
            raise UnnamedColoursError(data, *_shares([m for _, m, _ in pairs.pairs]))
        file = known.file
    image, mask, _ = pairs.pairs[0]
    said = (
        f'{amount(len(pairs.pairs), "image")} with colour masks, such as {image.name} '
        f"with {mask.name}, with the colours of '{Path(file).name}'"
    )
    return Recognised('colours', data, said, {**options, 'colours': file})


def _shares(masks: list[Path]) -> tuple[dict[tuple[int, ...], float], bool]:
    """Return the most frequent colours, their shares, and whether edges are smeared."""
    counts: Counter[int] = Counter()
    with closing(run_all(_count_colours, masks[:SAMPLE])) as all_:
        for _, counted in all_:
            if not isinstance(counted, SCTNetError):
                counts += counted
    total = counts.total() or 1
    found: dict[tuple[int, ...], float] = {}
    lossy = any(mask.suffix.lower() in LOSSY for mask in masks)
    smeared = lossy or len(counts) > MOST
    apart = SMEARED if smeared else 0
    for value, count in counts.most_common():
        colour = value >> 16, value >> 8 & 255, value & 255
        if all(math.dist(colour, other) > apart for other in found):
            found[colour] = count / total
        if len(found) == MOST:
            break
    return found, smeared


def _count_colours(mask: Path) -> Counter[int]:
    pixels = read_colours(mask, lossy=True).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    values, counts = np.unique(packed, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))
