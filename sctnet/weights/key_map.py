"""From the original's parameter names to ours: total, and checked when weights load.

:data:`ORIGINAL_TO_PORT` names every module of the original's student (and ``None`` for
what is dropped on purpose); nothing is guessed. Backbone, head and segmentor rename
their own from ``_load_from_state_dict``, where every loader passes, and
:func:`.fit.check_weights` turns what does not fit into one readable error.

Source of the original names: the released checkpoints of the SCTNet repository.
"""

import logging
from collections.abc import Mapping, MutableMapping

from mmengine.logging import print_log
from torch import Tensor, nn

NameMap = dict[str, str | None]


# What a student alone does without; of each, a checkpoint may have all or none.
TRAINING_ONLY = ('auxiliary_head.', 'siam.bfa.', 'siam.sdha.')
# What a classifier of mmpretrain's has around its backbone.
CLASSIFIER_ONLY = ('neck.', 'head.')
# The original's names of a teacher; inside its student they have a prefix.
_TEACHER_PARTS = {'teacher_backbone.': 'backbone.', 'teacher_head.': 'decode_head.'}


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
AUXILIARY_NAMES: NameMap = {
    f'auxiliary_head.0.{old}': f'auxiliary_head.{new}'
    for old, new in HEAD_NAMES.items()
}
# SIAM's projections, and the teacher that the original stored in its student.
SIAM_NAMES: NameMap = {
    'auxiliary_head.1.feature_transforms': 'siam.sdha.projection',
    'auxiliary_head.1.convstage3': 'siam.bfa.projections.stage3',
    'auxiliary_head.1.convstage4': 'siam.bfa.projections.stage4',
    'auxiliary_head.1.teacher_backbone': None,
    'auxiliary_head.1.teacher_head': None,
}
ORIGINAL_TO_PORT: NameMap = {
    **{f'backbone.{old}': f'backbone.{new}' for old, new in BACKBONE_NAMES.items()},
    **{f'decode_head.{old}': f'decode_head.{new}' for old, new in HEAD_NAMES.items()},
    **AUXILIARY_NAMES,
    **SIAM_NAMES,
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


def rename_all(
    module: nn.Module, state_dict: MutableMapping[str, Tensor], prefix: str = ''
) -> None:
    """Rename the keys of every module below ``module`` that has ``original_names``."""
    for name, part in module.named_modules():
        if names := getattr(part, 'original_names', None):
            rename_weights(state_dict, f'{prefix}{name}.' if name else prefix, names)


def teacher_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the teacher in ``weights`` under mmseg's names.

    Takes a segmentor's state dict as mmseg 0.x and 1.x save it, a teacher as the
    original released it, and a student of the original's that carries its teacher.
    """
    if not any('teacher_backbone.' in key for key in weights):
        return dict(weights)
    teacher = {}
    for key, weight in weights.items():
        name = key.removeprefix('auxiliary_head.1.')
        for old, new in _TEACHER_PARTS.items():
            if name.startswith(old):
                teacher[new + name.removeprefix(old)] = weight
    return teacher


def settle_training_only(
    state_dict: MutableMapping[str, Tensor], prefix: str, own: Mapping[str, Tensor]
) -> None:
    """Drop parts that a model lacks; keep its own where a file has none of them.

    Args:
        state_dict: what the file holds; it is changed.
        prefix: of the model's names there.
        own: the model's state dict.
    """
    for part in TRAINING_ONLY:
        wanted = {k: v for k, v in own.items() if k.startswith(part)}
        found = [k for k in state_dict if k.startswith(prefix + part)]
        if not wanted:
            for key in found:
                del state_dict[key]
        elif not found:
            state_dict.update({prefix + k: v for k, v in wanted.items()})
            print_log(
                f'{part[:-1]} is not in the checkpoint and keeps its initial weights; '
                'only training uses it',
                logger='current',
                level=logging.INFO,
            )
