"""What the values of index masks mean, and what is asked where they leave that open."""

import shlex
from collections.abc import Sequence
from typing import Any

from ...errors import ArgumentError
from ..convert.annotated_images import IGNORED
from ..convert.options import IGNORE
from ..convert.recognised import Ask


def are_smeared(seen: list[int]) -> bool:
    """Whether masks hold so many greys that these are edges of black and white."""
    return len(seen) > 40 and seen[-2] > 200


def ask_of_255(ask: Ask) -> str:
    """Return the map of masks of 0 and 255."""
    answer = ask(
        'The masks hold 0 and 255. Is 255 the object, or does it mean "ignore"?',
        {'object': '0 is the background, 255 the object', 'ignore': '255 counts not'},
        '--map 0:0,255:1 or --map 0:0,255:ignore',
    )
    return '0:0,255:1' if answer == 'object' else '0:0,255:ignore'


def ask_of_camvid(ask: Ask) -> dict[str, Any]:
    """Return how masks in the folders of SegNet's CamVid are read."""
    from ..camvid import CamVidDataset

    classes = CamVidDataset.METAINFO['classes']
    names = ','.join(classes)
    answer = ask(
        "The folders are those of SegNet's CamVid, of 11 classes and 11 for void. Are "
        'the values its own?',
        {'yes': f'they are {names}', 'no': '11 is a class as others are'},
        f'--classes {shlex.quote(names)} --map 11:ignore, or --classes of all 12',
    )
    if answer == 'yes':
        return {'classes': classes, 'mapping': '11:ignore'}
    return {'classes': [f'class {number}' for number in range(12)]}


def ask_of_one_too_many(
    seen: list[int], names: tuple[str, ...], ask: Ask
) -> dict[str, Any]:
    """Return what is meant where the masks hold one value past the classes.

    It is void, or the names leave out the background, or they begin at 1. Other values
    past them are no numbering; they are named when they are converted.
    """
    count = len(names)
    if count not in seen or seen[-1] not in (count, IGNORED):
        return {}
    answers: dict[str, tuple[str, dict[str, Any]]] = {
        'ignore': (f'{count} is', {'mapping': f'{count}:{IGNORE}'})
    }
    options = [f'--map {count}:{IGNORE}']
    if 0 not in seen:
        shifted = {number + 1: number for number in range(count)}
        meant = {'mapping': map_of(shifted)}
        answers['from 1'] = f'no, {names[0]} is 1', meant
        options.append(f'--map {meant["mapping"]}')
    elif 'background' not in map(str.lower, names):
        classes = ('background', *names)
        answers['background'] = (
            f'no, 0 has no name and {names[0]} is 1',
            {'classes': classes},
        )
        options.append(f'--classes {shlex.quote(",".join(classes))}')
    else:
        options.append('--classes')
    question = (
        f'The masks hold {count}, which is none of the {count} classes '
        f'{", ".join(names[:3])}, .... Is it to ignore?'
    )
    choices = {answer: meaning for answer, (meaning, _) in answers.items()}
    return answers[ask(question, choices, ', or '.join(options))][1]


def made_up(seen: list[int], mapping: str | None, ask: Ask) -> dict[str, Any]:
    """Return names for classes that have none, and a map where one is needed.

    Raises:
        ArgumentError: the values are no numbering of classes.
    """
    labels = [value for value in seen if value != IGNORED]
    targets: list[int] = labels
    if mapping is not None:
        pairs = (pair.replace(' ', '').partition(':') for pair in mapping.split(','))
        table = {stored: int(x) for stored, _, x in pairs if x.isdigit()}
        targets = [*table.values()]
        labels = [table[str(value)] for value in seen if str(value) in table]
    top = max([1, *targets])
    if mapping is None and len(seen) > 1 and labels != [*range(top + 1)]:
        kept = [value for value in seen if value >= 0]
        anew = {**dict.fromkeys(seen, IGNORE), **{v: n for n, v in enumerate(kept)}}
        if min(seen) < 0 or top > 2 * len(labels) + 8:
            raise ArgumentError(
                f'the masks hold the values {few(seen)}, which are no numbers of '
                'classes: say which class each is, or "ignore", such as '
                f'--map={map_of(anew)}'
            )
        if len(labels) > 1:
            text = map_of({n: IGNORE if n == IGNORED else anew[n] for n in seen})
            answer = ask(
                f'The masks hold the values {few(seen)}, and none between. Are they '
                'to be numbered anew?',
                {
                    'anew': f'{len(labels)} classes, one for each value',
                    'keep': f'{top + 1} classes, of which some have no pixel',
                },
                f'--map {text}, or --classes of all {top + 1}',
            )
            if answer == 'anew':
                return {'classes': [f'class {n}' for n in labels], 'mapping': text}
    names = [f'class {number}' for number in range(top + 1)]
    return {'classes': names, **named_or_seen(names, labels if mapping else None)}


def named_or_seen(names: Sequence[str], seen: Sequence[int] | None) -> dict[str, Any]:
    """Return which classes to keep: a number without a name and a pixel is none."""
    used = [x for n, x in enumerate(names) if n in (seen or ()) or x != f'class {n}']
    return {'keep': used} if seen is not None and 1 < len(used) < len(names) else {}


def map_of(table: dict[int, Any]) -> str:
    """Return the text of ``--map``."""
    return ','.join(f'{value}:{meant}' for value, meant in table.items())


def few(values: list[int]) -> str:
    """Return values in words: the first, and the last."""
    if len(values) < 10:
        return ', '.join(map(str, values))
    return f'{", ".join(map(str, values[:8]))}, ... {values[-1]}'
