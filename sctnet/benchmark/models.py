"""The networks that are compared, their published results, and how each is built.

Ours come from ``configs/sctnet``, the peers from the configs that mmseg's wheel ships.
All are built the same way: without files of weights, with plain batch norms, seeded
weights and statistics of real activations, so that no network runs on zeros, infinities
or denormal numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import mmseg
import torch
import yaml
from mmengine.config import Config
from mmseg.models.segmentors import EncoderDecoder
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..apis import init_model
from ..catalog import CONFIG_ROOT, load_config
from ..errors import ArgumentError

# Name to mmseg's config and the mIoU that its metafile gives; where mmseg has several
# trainings of a network, the one with the best mIoU. All are of Cityscapes, 1024x2048.
PEERS = {
    'pidnet-s': ('pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes', 78.74),
    'pidnet-m': ('pidnet/pidnet-m_2xb6-120k_1024x1024-cityscapes', 80.22),
    'ddrnet23-slim': (
        'ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024',
        77.84,
    ),
    'ddrnet23': ('ddrnet/ddrnet_23_in1k-pre_2xb6-120k_cityscapes-1024x1024', 79.99),
    'bisenetv1': (
        'bisenetv1/bisenetv1_r18-d32-in1k-pre_4xb8-160k_cityscapes-1024x1024',
        75.16,
    ),
    'bisenetv2': ('bisenetv2/bisenetv2_fcn_4xb8-160k_cityscapes-1024x1024', 75.76),
    'stdc1': ('stdc/stdc1_in1k-pre_4xb12-80k_cityscapes-512x1024', 74.94),
    'stdc2': ('stdc/stdc2_in1k-pre_4xb12-80k_cityscapes-512x1024', 76.67),
    'segformer-b0': (
        'segformer/segformer_mit-b0_8xb1-160k_cityscapes-1024x1024',
        76.54,
    ),
    'fast-scnn': ('fastscnn/fast_scnn_8xb4-160k_cityscapes-512x1024', 70.96),
    'cgnet': ('cgnet/cgnet_fcn_4xb8-60k_cityscapes-512x1024', 68.27),
    'erfnet': ('erfnet/erfnet_fcn_4xb4-160k_cityscapes-512x1024', 72.5),
    'icnet': ('icnet/icnet_r18-d8-in1k-pre_4xb2-160k_cityscapes-832x832', 74.43),
}
GROUPS = {'ours': True, 'peers': False}
LEFT_OUT = ('init_cfg', 'pretrained', 'auxiliary_head', 'siam')


@dataclass(frozen=True)
class Published:
    """A network's published result."""

    dataset: str
    miou: float  # single scale, in percent
    source: str  # where that is published
    ours: bool
    size: tuple[int, int]  # (height, width) of the network's input


class Entry(NamedTuple):
    """A network that can be measured."""

    name: str
    config: Path
    published: Published


@cache
def entries() -> dict[str, Entry]:
    """Name to entry of all networks, ours first."""
    found = {}
    metafile = CONFIG_ROOT / 'sctnet' / 'metafile.yml'
    for model in yaml.safe_load(metafile.read_text(encoding='utf-8'))['Models']:
        for result in model.get('Results', ()):
            name, config = model['Alias'][0], metafile.with_name(f'{model["Name"]}.py')
            dataset, miou = result['Dataset'], result['Metrics']['mIoU']
            source, size = model['Config'], _published_size(config, dataset)
            published = Published(dataset, miou, source, True, size)
            found[name] = Entry(name, config, published)
    root = Path(mmseg.__file__).parent / '.mim' / 'configs'
    for name, (path, miou) in PEERS.items():
        published = Published(
            'Cityscapes', miou, f'mmseg configs/{path}.py', False, (1024, 2048)
        )
        found[name] = Entry(name, root / f'{path}.py', published)
    return found


def _published_size(config: Path, dataset: str) -> tuple[int, int]:
    """(height, width) of the network's input for which the mIoU was published.

    On Cityscapes the test scale; elsewhere, where images differ in size, the crop, as
    the original's script to measure speed takes it.
    """
    cfg = load_config(config)
    if dataset != 'Cityscapes':
        return cfg.crop_size
    (width, height), *_ = [s['scale'] for s in cfg.test_pipeline if 'scale' in s]
    return height, width


def find_entries(names: Iterable[str]) -> list[Entry]:
    """Return the entries called ``names``, each once; some name groups.

    Raises:
        ArgumentError: there is none of a name.
    """
    known = entries()
    found: dict[str, Entry] = {}
    for name in names:
        if name in GROUPS:
            ours = GROUPS[name]
            found |= {k: e for k, e in known.items() if e.published.ours == ours}
        elif name in known:
            found[name] = known[name]
        else:
            raise ArgumentError(
                f"there is no model '{name}' to measure: choose from "
                f'{", ".join([*GROUPS, *known])}'
            )
    return list(found.values())


def bare_config(entry: Entry) -> Config:
    """Return a network's config for inference: plain norms, no files of weights."""
    cfg = load_config(entry.config)
    cfg.model = without(cfg.model.to_dict(), LEFT_OUT)
    return cfg


def without(part: Any, left_out: Sequence[str]) -> Any:
    """Return a config's part with plain norms and without the keys ``left_out``."""
    if isinstance(part, dict):
        return {
            key: 'BN'
            if (key, value) == ('type', 'SyncBN')
            else without(value, left_out)
            for key, value in part.items()
            if key not in left_out
        }
    if isinstance(part, list | tuple):  # some constructors insist on tuples
        return type(part)(without(x, left_out) for x in part)
    return part


@torch.no_grad()
def build_model(entry: Entry) -> EncoderDecoder:
    """Build a network in eval mode, on the CPU, with seeded weights and statistics.

    Its norms have random scales and shifts, and the statistics of what they read of
    random images; auxiliary heads are left out.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = init_model(bare_config(entry), device='cpu', backend='torch')
        norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
        for norm in norms:
            if norm.affine:
                nn.init.uniform_(norm.weight, 0.8, 1.2)
                nn.init.normal_(norm.bias, std=0.1)
            norm.momentum = 1.0  # the statistics become those of the next batch
            norm.train()
        # Of different contrast and colour: norms behind global pooling have no other
        # variance than that between images, and less than real images would give.
        images = torch.randn(4, 3, 128, 256)
        images *= torch.linspace(0.3, 2, 4).view(4, 1, 1, 1)
        images += torch.randn(4, 3, 1, 1)
        model.decode_head(model.extract_feat(images))
    for norm in norms:
        mean, var = norm.get_buffer('running_mean'), norm.get_buffer('running_var')
        var.copy_(torch.maximum(var, 0.01 * mean.square()))
    return model.eval()
