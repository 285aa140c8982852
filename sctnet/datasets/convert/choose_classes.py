"""Classes as they are asked for: merged, renamed, dropped, in another order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from ...errors import ArgumentError, DataError
from .annotated_images import IGNORED, Item, Shape, Size, Source
from .options import IGNORE, parse_classes, parse_rename
from .overlap import paint

_DROPPED = -1  # in the table


@dataclass(frozen=True)
class Choice:
    """What becomes of a source's classes.

    Attributes:
        source: names of the source's labels.
        classes: names of the new ones.
        table: new label of each old one, or that it is dropped; int16.
        fill: where there is no shape, or of what is dropped.
        order: in which shapes are painted.
    """

    source: Sequence[str]
    classes: tuple[str, ...]
    table: np.ndarray
    fill: int
    order: str

    def became(self) -> dict[str, str | None]:
        """Return the new name of each class; None for those that were dropped."""
        names = {_DROPPED: None, IGNORED: IGNORE, **dict(enumerate(self.classes))}
        found = zip(self.source, self.table.tolist(), strict=False)
        return {name: names[label] for name, label in found}

    def keeps(self, labels: frozenset[int]) -> bool:
        """Whether something is left of shapes with these labels."""
        return any(self.table[label] != _DROPPED for label in labels)

    def draw(self, item: Item, size: Size, notes: Counter[str]) -> np.ndarray:
        """Draw an item in the new labels, uint8 (H, W); raises DataError."""
        drawn = item.draw(size, notes)
        if isinstance(drawn, np.ndarray):
            return self._of_pixels(drawn)
        return self._of_shapes(drawn, size, notes)

    def _of_pixels(self, labels: np.ndarray) -> np.ndarray:
        table = np.where(self.table == _DROPPED, self.fill, self.table)
        return table.astype(np.uint8)[labels]

    def _of_shapes(
        self, shapes: Sequence[Shape], size: Size, notes: Counter[str]
    ) -> np.ndarray:
        """Paint shapes in the new labels; one that is dropped hides no other."""
        kept = []
        for shape in shapes:
            label = int(self.table[shape.label])
            if label == _DROPPED:
                name = self.source[shape.label]
                notes[f"shapes of a class not named ('{name}')"] += 1
            else:
                kept.append(shape._replace(label=label))
        return paint(kept, size, self.fill, self.order, self.classes, notes)


def choose(
    found: Source,
    rename: str | Mapping[str, str] | None = None,
    keep: str | Sequence[str] | None = None,
) -> Choice:
    """Choose the classes of a source, and give it their names and colours.

    Two names that become one are merged. What becomes ``ignore`` is 255.

    Args:
        found: gets the new ``classes`` and ``palette``, and what is to be said.
        rename: new name of old ones.
        keep: new names in their order; others are dropped: their shapes are not drawn,
            their pixels become the background, or 255 where there is none.

    Raises:
        ArgumentError: an option is malformed, or names what is not there.
        DataError: fewer than two classes are left, or more than 255.
    """
    source, renamed = found.classes, parse_rename(rename)
    _check_known(found, '--rename', [*renamed], source)
    targets = [renamed.get(name, name) for name in source]
    present = dict.fromkeys(name for name in targets if name != IGNORE)
    empty = _background(found)
    empty = empty and renamed.get(empty, empty)
    wanted = [*present]
    if keep:
        wanted = [*parse_classes(keep)]
        _check_known(found, '--keep or --classes', wanted, present)
        if empty and empty in present and empty not in wanted:
            wanted = [empty, *wanted]
    index = {name: place for place, name in enumerate(wanted)}
    index[IGNORE] = IGNORED
    new = [index.get(name, _DROPPED) for name in targets]
    # Beyond the classes, and at -1, is what the source ignores itself.
    table = np.full(max(256, len(source)) + 1, IGNORED, np.int16)
    table[: len(source)] = new
    fill = index.get(empty or IGNORE, IGNORED)
    choice = Choice(source, tuple(wanted), table, fill, found.order)
    _check_number(found, choice)
    found.palette = _palette(found, targets, wanted)
    found.classes = choice.classes
    found.said += _said(choice, found.fill is not None)
    absent = [name for name in renamed if name not in source]
    if absent:
        found.said.append(f'--rename names what does not occur: {", ".join(absent)}')
    return choice


def _background(found: Source) -> str | None:
    if found.fill is None:
        return 'background' if 'background' in found.classes else None
    return None if found.fill == IGNORED else found.classes[found.fill]


def _check_known(
    found: Source, option: str, names: Sequence[str], known: Mapping | Sequence
) -> None:
    """See that all names are there, or may be; raises ArgumentError."""
    for name in names:
        if name in known:
            continue
        near = get_close_matches(name, [*known], 1)
        if found.open and not near:
            continue
        listed = ', '.join(known)
        hint = f"did you mean '{near[0]}'?" if near else f'expected some of {listed}'
        raise ArgumentError(f"{option} names '{name}', which is no class here: {hint}")


def _check_number(found: Source, choice: Choice) -> None:
    drawn = len(found.classes) if found.fill is None else 0
    count = len(choice.classes)
    count = max(count, drawn) if count > 1 else count
    if 2 <= count <= IGNORED:
        return
    many = count > 1
    cure = 'merge some, with --rename' if many else 'list or annotate at least two'
    raise DataError(
        f'the source has {count} classes in all: a label map takes 2 to '
        f'{IGNORED}; {cure}'
    )


def _palette(
    found: Source, targets: Sequence[str], wanted: Sequence[str]
) -> Sequence[Sequence[int]] | None:
    """Return the colours of classes by their own name, or of the first merged."""
    if found.palette is None:
        return None
    first = dict(zip(reversed(targets), [*found.palette][::-1], strict=True))
    colours = {**first, **dict(zip(found.classes, found.palette, strict=True))}
    return [colours[name] for name in wanted] if colours.keys() >= {*wanted} else None


def _said(choice: Choice, shapes: bool) -> list[str]:
    became = choice.became()
    lines = []
    for new in choice.classes:
        merged = [name for name in became if became[name] == new]
        if len(merged) > 1:
            lines.append(f"one class, '{new}': {', '.join(merged)}")
    ignored = [name for name in became if became[name] == IGNORE]
    if ignored:
        lines.append(f'to ignore, 255: {", ".join(ignored)}')
    dropped = [name for name in became if became[name] is None]
    if dropped:
        place = 'to ignore'
        if choice.fill != IGNORED:
            place = f"the class '{choice.classes[choice.fill]}'"
        fate = 'their shapes are not drawn' if shapes else f'their pixels are {place}'
        lines.append(f'dropped, {fate}: {", ".join(dropped)}')
    return lines
