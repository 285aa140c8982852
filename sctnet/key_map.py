"""From the original's parameter names to ours: total, and checked when weights load.

:data:`ORIGINAL_TO_PORT` names every module of the original's student (and ``None`` for
what is dropped on purpose); nothing is guessed. The backbone, head and segmentor call
:func:`rename_weights` from ``_load_from_state_dict``, where every loader passes, and
:func:`check_weights` turns what does not fit into one readable error.

Source of the original names: the released checkpoints of the SCTNet repository.
"""

from collections import Counter
from collections.abc import Mapping, MutableMapping

from torch import Tensor

from .errors import CheckpointError

NameMap = dict[str, str | None]


def _block_names() -> NameMap:
    names: NameMap = {}
    for layer in ('1', '2', '3'):
        for block in ('0', '1'):
            old, new = f'layer{layer}.{block}', f'stage{layer}.{block}'
            for i in ('1', '2'):
                names[f'{old}.conv{i}'] = f'{new}.conv{i}'
                names[f'{old}.bn{i}'] = f'{new}.norm{i}'
    for layer in ('2', '3'):
        for i in ('0', '1'):
            names[f'layer{layer}.0.downsample.{i}'] = f'stage{layer}.0.downsample.{i}'
    blocks = {'layer3_2': 'cfblock3', 'layer4': 'cfblock4_1', 'layer5': 'cfblock4_2'}
    for old, new in blocks.items():
        names[f'{old}.attn_l.kv'] = f'{new}.attention.vertical'
        names[f'{old}.attn_l.kv3'] = f'{new}.attention.horizontal'
        names[f'{old}.attn_l.norm'] = f'{new}.attention.norm'
        for part in ('norm', 'conv1', 'conv2'):
            names[f'{old}.mlp_l.{part}'] = f'{new}.ffn.{part}'
    return names


def _dappm_names() -> NameMap:
    names: NameMap = {'spp.scale0.0': 'dappm.scales.0.norm'}
    names['spp.scale0.2'] = 'dappm.scales.0.conv'
    for i in range(1, 5):
        # The pool comes first in these, hence 1 and 3.
        names[f'spp.scale{i}.1'] = f'dappm.scales.{i}.norm'
        names[f'spp.scale{i}.3'] = f'dappm.scales.{i}.conv'
        names[f'spp.process{i}.0'] = f'dappm.processes.{i - 1}.norm'
        names[f'spp.process{i}.2'] = f'dappm.processes.{i - 1}.conv'
    for part in ('compression', 'shortcut'):
        names[f'spp.{part}.0'] = f'dappm.{part}.norm'
        names[f'spp.{part}.2'] = f'dappm.{part}.conv'
    return names


BACKBONE_NAMES: NameMap = {
    **{f'conv1.{i}': f'stem.{i}' for i in (0, 1, 3, 4)},
    **_block_names(),
    **{f'convdown4.{i}': f'downsample4.{i}' for i in (0, 1)},
    **_dappm_names(),
}
HEAD_NAMES: NameMap = {
    'bn1': 'norm1',
    'conv1': 'conv1',
    'bn2': 'norm2',
    'conv_seg': 'conv_seg',
}
# SIAM's projections and the teacher that the original stored in its student.
SIAM_NAMES: NameMap = dict.fromkeys(
    (
        'feature_transforms',
        'convstage3',
        'convstage4',
        'teacher_backbone',
        'teacher_head',
    )
)
ORIGINAL_TO_PORT: NameMap = {
    **{f'backbone.{old}': f'backbone.{new}' for old, new in BACKBONE_NAMES.items()},
    **{f'decode_head.{old}': f'decode_head.{new}' for old, new in HEAD_NAMES.items()},
    **{
        f'auxiliary_head.0.{old}': f'auxiliary_head.{new}'
        for old, new in HEAD_NAMES.items()
    },
    **{f'auxiliary_head.1.{old}': None for old in SIAM_NAMES},
}


def port_name(name: str, names: NameMap = ORIGINAL_TO_PORT) -> str | None:
    """Return our name for the original's parameter ``name``; None: dropped on purpose.

    Raises:
        KeyError: ``name`` is not one of the original's.
    """
    parts = name.split('.')
    for length in range(len(parts), 0, -1):
        module = '.'.join(parts[:length])
        if module in names:
            new = names[module]
            return None if new is None else '.'.join([new, *parts[length:]])
    raise KeyError(name)


def rename_weights(
    state_dict: MutableMapping[str, Tensor], prefix: str, names: NameMap
) -> None:
    """Rename, in place, the original's keys below ``prefix``; others are left alone."""
    for key in list(state_dict):
        if not key.startswith(prefix):
            continue
        try:
            new = port_name(key[len(prefix) :], names)
        except KeyError:
            continue
        weight = state_dict.pop(key)
        if new is not None:
            state_dict[prefix + new] = weight


def check_weights(
    model: Mapping[str, Tensor], weights: Mapping[str, Tensor], base_channels: int
) -> None:
    """Compare the names and shapes of ``weights`` with those of ``model``.

    Args:
        model: the model's own state dict, without prefix.
        weights: what is to be loaded, under our names, without prefix.
        base_channels: c of the model, for the message about S and B.

    Raises:
        CheckpointError: they differ; the message names the part and the remedy.
    """
    # Counters of old BatchNorm files; they have no effect on any output.
    missing = [
        k for k in model if k not in weights and not k.endswith('num_batches_tracked')
    ]
    unexpected = [k for k in weights if k not in model]
    reshaped = [k for k in model if k in weights and model[k].shape != weights[k].shape]
    if not (missing or unexpected or reshaped):
        return
    reason = (
        _explain_foreign(model, weights)
        or _explain_width(model, weights, base_channels)
        or _explain_classes(model, weights, reshaped)
        or _explain_backbone_only(model, weights, missing)
        or _explain_rest(missing, unexpected, reshaped)
    )
    raise CheckpointError(f'the checkpoint does not fit this model: {reason}')


def _explain_foreign(
    model: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> str | None:
    if any(k in weights for k in model if not k.endswith('num_batches_tracked')):
        return None
    if any('teacher_' in k or '.attn.in_proj_weight' in k for k in weights):
        return (
            'it holds a SegFormer, which is a teacher; name an SCTNet checkpoint here '
            'and give this file to the distillation'
        )
    examples = ' and '.join(repr(k) for k in list(weights)[:2])
    return (
        f'none of its {len(weights)} weights belongs to SCTNet (found {examples}); '
        'name an SCTNet checkpoint, or the config that this one was trained with'
    )


def _explain_width(
    model: Mapping[str, Tensor], weights: Mapping[str, Tensor], base_channels: int
) -> str | None:
    stem = next((k for k in weights if k.endswith('stem.0.weight')), None)
    if stem is None or stem not in model or len(weights[stem]) == base_channels:
        return None
    names = {32: 'SCTNet-S', 64: 'SCTNet-B'}
    found, built = (
        f'{names.get(c, "an SCTNet")} ({c} base channels)'
        for c in (len(weights[stem]), base_channels)
    )
    return (
        f'its backbone is {found} and the model is {built}; take the config of the '
        'same size as the checkpoint'
    )


def _explain_classes(
    model: Mapping[str, Tensor], weights: Mapping[str, Tensor], reshaped: list[str]
) -> str | None:
    classifiers = [k for k in reshaped if '.conv_seg.' in k]
    if not classifiers or len(classifiers) != len(reshaped):
        return None
    found, built = (len(d[classifiers[0]]) for d in (weights, model))
    return (
        f'its decode_head has {found} classes and the model {built}; set num_classes='
        f'{found}, or, to fine-tune on {built} classes, load it into the backbone '
        "alone with model.backbone.init_cfg = dict(type='Pretrained', checkpoint=FILE)"
    )


def _explain_backbone_only(
    model: Mapping[str, Tensor], weights: Mapping[str, Tensor], missing: list[str]
) -> str | None:
    has_head = any(k.startswith('decode_head.') for k in model)
    lost = any(k.startswith('backbone.') for k in missing)
    if not has_head or lost or not all(k.startswith('backbone.') for k in weights):
        return None
    return (
        'it is a backbone without a decode_head; load it with '
        "model.backbone.init_cfg = dict(type='Pretrained', checkpoint=FILE) and "
        'train, or name a full checkpoint'
    )


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
    return f'{"; ".join(findings)}; take the config that it was trained with'


def _parts(keys: list[str]) -> str:
    """Count ``keys`` per part of the model, three parts at most."""
    counts = Counter('.'.join(key.split('.')[:2]) for key in keys)
    named = ', '.join(f'{n} of {part}' for part, n in counts.most_common(3))
    rest = len(counts) - 3
    return f'{named} and {rest} more parts' if rest > 0 else named
