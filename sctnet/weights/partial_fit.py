"""Weights that fit a network in part: what is kept of a file, and how that is said."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from ..errors import CheckpointError
from .bands import adapt_bands, explain_bands
from .fit import counted, explain_backbone, is_sctnet
from .key_map import rename_all, teacher_weights
from .mit_names import mmseg_names

# What a head's classes decide: mmseg's decode heads, PointRend's, mmpretrain's.
_LAST_LAYER = re.compile(r'(^|\.)(conv_seg|fc_seg|head\.fc)\.')
_NAMED = 4  # parts in one line


class PartialFit(NamedTuple):
    """A whole state dict, and in words how much of it is the file's."""

    weights: dict[str, Tensor]
    report: str


def fit_in_part(
    model: nn.Module, weights: Mapping[str, Tensor], other_classes: str = ''
) -> PartialFit:
    """Keep of ``weights`` all that fits ``model``, and the model's own of the rest.

    Args:
        model: a segmentor, or a part of one, whose ``state_dict()`` is compared.
        weights: a file's, under the original's names, mmseg's or ours; those of a
            backbone alone and those with one prefix more are found too.
        other_classes: why the last layers are of no use, from
            :func:`explain_classes`; '' keeps them.

    Raises:
        CheckpointError: less than half of the backbone fits.
    """
    own = model.state_dict()
    found = names_that_fit(model, weights)
    adapted = adapt_bands(own, found)
    why = {
        name: _why_afresh(name, value, adapted, other_classes)
        for name, value in own.items()
    }
    _check_backbone(own, found, why)
    kept = {name: adapted[name] if not why[name] else own[name] for name in own}
    said = [_loaded(why, other_classes), *_afresh(why)]
    if bands := explain_bands(own, found):
        said.append(bands)
    unused = [name for name in counted(found) if name not in own]
    if unused:
        said.append(f'not used: {len(unused)} of the file ({_parts(unused, found)})')
    return PartialFit(kept, '; '.join(said))


def explain_classes(old: Sequence[str] | None, new: Sequence[str] | None) -> str:
    """Say why last layers for the classes ``old`` do not serve for ``new``, or ''."""
    if not old:
        return 'the file does not name its classes'
    if not new:
        return 'the data set does not name its classes'
    if tuple(old) == tuple(new):
        return ''
    if len(old) != len(new):
        return f'{len(old)} classes in the file, {len(new)} here'
    if sorted(old) == sorted(new):
        return 'the same classes in another order'
    a, b = next((a, b) for a, b in zip(old, new, strict=True) if a != b)
    return f"other classes, as '{a}' in the file and '{b}' here"


def names_that_fit(
    model: nn.Module, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return ``weights`` under those names that the most of ``model``'s parts have.

    A file may hold a whole network where a backbone is wanted, a backbone where a
    network is, or either below a prefix.
    """
    own = model.state_dict()
    if not is_sctnet(own):
        weights = mmseg_names(teacher_weights(weights))
    candidates = [dict(weights), {f'backbone.{key}': v for key, v in weights.items()}]
    for prefix in dict.fromkeys(f'{key.partition(".")[0]}.' for key in weights):
        candidates.append(below(weights, prefix))
    for candidate in candidates:
        rename_all(model, candidate)
    return max(candidates, key=lambda candidate: len(candidate.keys() & own.keys()))


def below(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the ``weights`` whose names start with ``prefix``, without it."""
    return {
        key.removeprefix(prefix): value
        for key, value in weights.items()
        if key.startswith(prefix)
    }


def _why_afresh(
    name: str, value: Tensor, found: Mapping[str, Tensor], other_classes: str
) -> str:
    if name not in found:
        return 'not in the file'
    if other_classes and _LAST_LAYER.search(name):
        return other_classes
    return '' if found[name].shape == value.shape else 'of another shape in the file'


def _check_backbone(
    own: Mapping[str, Tensor], found: Mapping[str, Tensor], why: Mapping[str, str]
) -> None:
    names = counted(own)
    names = [name for name in names if name.startswith('backbone.')] or names
    fitting = sum(not why[name] for name in names)
    if 2 * fitting < len(names):
        reason = explain_backbone(own, found, fitting, len(names))
        raise CheckpointError(f'the checkpoint does not fit this model: {reason}')


def _loaded(why: Mapping[str, str], other_classes: str) -> str:
    names = counted(why)
    kept = [name for name in names if not why[name]]
    much = 'all' if len(kept) == len(names) else f'{len(kept)} of'
    classes = any(_LAST_LAYER.search(name) for name in kept) and not other_classes
    too = ', the last layers too' if classes else ''
    return f'loaded {much} {len(names)} weights{too}'


def _afresh(why: Mapping[str, str]) -> list[str]:
    """One phrase for all that starts afresh, by reason."""
    reasons: dict[str, list[str]] = {}
    for name in counted(why):
        if why[name]:
            reasons.setdefault(why[name], []).append(name)
    phrases = [f'{_parts(names, why)} ({said})' for said, names in reasons.items()]
    return [f'start afresh: {", ".join(phrases)}'] if phrases else []


def _parts(names: Sequence[str], everything: Iterable[str]) -> str:
    """Name the modules of ``names``, or a whole part of the network in their place."""
    size = Counter(_part_of(name) for name in counted(everything))
    meant = Counter(_part_of(name) for name in names)
    modules = list(
        dict.fromkeys(
            part if meant[part] == size[part] else name.rpartition('.')[0] or name
            for name, part in ((name, _part_of(name)) for name in names)
        )
    )
    rest = len(modules) - _NAMED
    named = ', '.join(modules[:_NAMED])
    return f'{named} and {rest} more' if rest > 0 else named


def _part_of(name: str) -> str:
    first, *rest = name.split('.')
    numbered = first == 'siam' or (rest and rest[0].isdigit())
    return f'{first}.{rest[0]}' if numbered and rest else first
