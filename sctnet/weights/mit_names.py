"""SegFormer's backbones as NVIDIA publishes them, under mmseg's names and shapes.

The same network: mmseg keeps queries, keys and values in one matrix, and writes the
feed-forward's linear layers as 1x1 convolutions.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_BLOCK = re.compile(r'block(\d)\.(\d+)\.(.+)')
_STAGE = re.compile(r'(patch_embed|norm)(\d)\.(.+)')
_PARTS = {
    'attn.proj': 'attn.attn.out_proj',
    'mlp.fc1': 'ffn.layers.0',
    'mlp.dwconv.dwconv': 'ffn.layers.1',
    'mlp.fc2': 'ffn.layers.4',
}


def mmseg_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a MiT's ``weights`` as mmseg's ``MixVisionTransformer`` has them.

    A file of another kind comes back as it is, and so does the classifier in this one.
    """
    if not any(name.startswith('patch_embed1.') for name in weights):
        return dict(weights)
    renamed = {}
    for name, weight in weights.items():
        if name.startswith('block') and '.attn.kv.' in name:
            continue  # beside its queries
        if name.startswith('block') and '.attn.q.' in name:
            values = weights.get(name.replace('.attn.q.', '.attn.kv.'))
            weight = weight if values is None else torch.cat([weight, values])
        new = _mmseg_name(name)
        linear = '.ffn.' in new and weight.dim() == 2
        renamed[new] = weight[:, :, None, None] if linear else weight
    return renamed


def _mmseg_name(name: str) -> str:
    if found := _STAGE.fullmatch(name):
        part, stage, rest = found.groups()
        place = '2' if part == 'norm' else '0'
        rest = re.sub(r'^proj\.', 'projection.', rest)
        return f'layers.{int(stage) - 1}.{place}.{rest}'
    if not (found := _BLOCK.fullmatch(name)):
        return name
    stage, number, rest = found.groups()
    rest = re.sub(r'^attn\.q\.', 'attn.attn.in_proj_', rest)
    for old, new in _PARTS.items():
        if rest.startswith(f'{old}.'):
            rest = new + rest.removeprefix(old)
    return f'layers.{int(stage) - 1}.1.{number}.{rest}'
