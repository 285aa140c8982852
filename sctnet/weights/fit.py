"""Weights that do not fit a model, explained in one sentence."""

from collections import Counter
from collections.abc import Iterable, Mapping

from torch import Tensor

from ..errors import CheckpointError
from .key_map import BACKBONE_NAMES, port_name

_BACKBONE_ONLY = (
    'it is a backbone without a decode_head; load it with '
    "model.backbone.init_cfg = dict(type='Pretrained', checkpoint=FILE) and train, or "
    'name a full checkpoint'
)
_TAKE_ITS_CONFIG = 'take the config that it was trained with'
Weights = Mapping[str, Tensor]


def check_weights(model: Weights, weights: Weights) -> None:
    """Compare the names and shapes of ``weights`` with those of ``model``.

    Args:
        model: the model's own state dict, without prefix.
        weights: what is to be loaded, under our names, without prefix.

    Raises:
        CheckpointError: they differ; the message names the part and the remedy.
    """
    missing = [k for k in counted(model) if k not in weights]
    unexpected = [k for k in weights if k not in model]
    reshaped = [k for k in model if k in weights and model[k].shape != weights[k].shape]
    if not (missing or unexpected or reshaped):
        return
    reason = (
        _explain_foreign(model, weights)
        or _explain_width(model, weights)
        or _explain_classes(model, weights, missing, reshaped)
        or _explain_backbone_only(model, weights, missing)
        or _explain_rest(missing, unexpected, reshaped)
    )
    raise CheckpointError(f'the checkpoint does not fit this model: {reason}')


def counted(names: Iterable[str]) -> list[str]:
    """Leave out batch norm's counters, which old files lack and no output needs."""
    return [name for name in names if not name.endswith('num_batches_tracked')]


def is_sctnet(names: Iterable[str]) -> bool:
    """Whether these are names of an SCTNet's weights, the original's or ours."""
    return any('cfblock' in name or '.attn_l.' in name for name in names)


def explain_backbone(model: Weights, weights: Weights, fitting: int, of: int) -> str:
    """Say why only ``fitting`` ``of`` a backbone's weights fit, and the remedy."""
    return (
        _explain_foreign(model, weights)
        or _explain_width(model, weights)
        or f'only {fitting} of the {of} weights of the backbone are in it in the same '
        f'shape; name another file, or {_TAKE_ITS_CONFIG}'
    )


def _explain_foreign(model: Weights, weights: Weights) -> str | None:
    if is_sctnet(weights) and not is_sctnet(model):
        return f'it holds an SCTNet; name another file, or {_TAKE_ITS_CONFIG}'
    # Heads of other networks have a decode_head.conv_seg too; the backbone decides.
    whole = any(k.startswith('backbone.') for k in model)
    own = [k for k in model if k.startswith('backbone.') or not whole]
    if any(k in weights for k in counted(own)):
        return None
    if whole and all(_is_backbone_name(k) for k in weights):
        return _BACKBONE_ONLY
    segformer = any('teacher_' in k or '.attn.in_proj_weight' in k for k in weights)
    if segformer and is_sctnet(model):
        return (
            'it holds a SegFormer, which is a teacher; name an SCTNet checkpoint here '
            'and give this file to the distillation'
        )
    examples = ' and '.join(repr(k) for k in list(weights)[:2])
    return (
        f'none of its {len(weights)} weights belongs to the backbone (found {examples})'
        f'; name another checkpoint, or {_TAKE_ITS_CONFIG}'
    )


def _explain_width(model: Weights, weights: Weights) -> str | None:
    stem = next((k for k in weights if k.endswith('stem.0.weight')), None)
    if not is_sctnet(model) or stem is None or stem not in model:
        return None
    widths = len(weights[stem]), len(model[stem])
    if widths[0] == widths[1]:
        return None
    names = {32: 'SCTNet-S', 64: 'SCTNet-B'}
    found, built = (f'{names.get(c, "an SCTNet")} ({c} base channels)' for c in widths)
    return (
        f'its backbone is {found} and the model is {built}; take the config of the '
        'same size as the checkpoint'
    )


def _explain_classes(
    model: Weights, weights: Weights, missing: list[str], reshaped: list[str]
) -> str | None:
    classifiers = [k for k in reshaped if '.conv_seg.' in k]
    if missing or not classifiers or len(classifiers) != len(reshaped):
        return None
    found, built = (len(d[classifiers[0]]) for d in (weights, model))
    return (
        f'its decode_head has {found} classes and the model {built}; name a file that '
        f'was trained on the same data set, or {_TAKE_ITS_CONFIG}, or, to fine-tune on '
        f'{built} classes, train with --from FILE'
    )


def _explain_backbone_only(
    model: Weights, weights: Weights, missing: list[str]
) -> str | None:
    has_head = any(k.startswith('decode_head.') for k in model)
    lost = any(k.startswith('backbone.') for k in missing)
    if not has_head or lost or not all(k.startswith('backbone.') for k in weights):
        return None
    return _BACKBONE_ONLY


def _is_backbone_name(name: str) -> bool:
    try:
        return port_name(name, BACKBONE_NAMES) is not None
    except KeyError:
        return False


def _explain_rest(
    missing: list[str], unexpected: list[str], reshaped: list[str]
) -> str:
    findings = [
        f'{what} {_parts(keys)}'
        for what, keys in (
            ('it lacks', missing),
            ('it has, and the model has not,', unexpected),
            ('other shapes in', reshaped),
        )
        if keys
    ]
    return f'{"; ".join(findings)}; {_TAKE_ITS_CONFIG}'


def _parts(keys: list[str]) -> str:
    """Count ``keys`` per part of the model, three parts at most."""
    counts = Counter('.'.join(key.split('.')[:2]) for key in keys)
    named = ', '.join(f'{n} of {part}' for part, n in counts.most_common(3))
    rest = len(counts) - 3
    return f'{named} and {rest} more parts' if rest > 0 else named
