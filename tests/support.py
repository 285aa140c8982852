"""The original's figures, weights and files, as the tests need them."""

import json
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

GOLDEN = Path(__file__).resolve().parent / 'golden'
REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(GOLDEN))
import fill  # noqa: E402
from subset import thin  # noqa: E402

SHORT_NAMES = {
    'ade_s': 'sctnet-s-ade',
    'ade_b': 'sctnet-b-ade',
    'coco_b': 'sctnet-b-coco',
    'city_s_seg50': 'sctnet-s-seg50',
    'city_s_seg75': 'sctnet-s-seg75',
    'city_b_seg50': 'sctnet-b-seg50',
    'city_b_seg75': 'sctnet-b-seg75',
    'city_b_seg100': 'sctnet-b-seg100',
}
PARAMETERS = {
    'ade_s': 4_671_542,
    'ade_b': 17_471_446,
    'coco_b': 17_476_843,
    'city_s': 4_654_643,
    'city_b': 17_437_779,
}
SEG50 = 'sctnet_s_seg50_2xb8_160k_cityscapes_512x1024'


def family(config: str) -> str:
    """Configs of one family have the same keys: city_s_seg75 -> city_s."""
    return config.rpartition('_seg')[0] or config


@cache
def original_keys(config: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Name and shape of everything in the original's training state dict."""
    keys = json.loads((GOLDEN / 'keys.json').read_text())[family(config)]
    return tuple((name, tuple(shape)) for name, shape in keys)


@cache
def filled(name: str, shape: tuple[int, ...]) -> Tensor:
    """Seeded tensor for one of the original's parameters."""
    return torch.from_numpy(np.asarray(fill.fill(name, shape)))


def original_state(config: str, *prefixes: str) -> dict[str, Tensor]:
    """Seeded weights under the original's names, those that start with ``prefixes``."""
    return {
        name: filled(name, shape)
        for name, shape in original_keys(config)
        if name.startswith(prefixes or ('',))
    }


def student_state(config: str) -> dict[str, Tensor]:
    return original_state(config, 'backbone.', 'decode_head.')


def released_checkpoint(config: str, path: Path, with_training: bool = True) -> Path:
    """Write a file as mmcv 1.x did for the released models."""
    from sctnet.apis import dataset_meta_from_config
    from sctnet.catalog import load_config

    meta = dataset_meta_from_config(load_config(SHORT_NAMES[config]))
    prefixes = () if with_training else ('backbone.', 'decode_head.')
    state = original_state(config, *prefixes)
    checkpoint = {
        'meta': {
            'env_info': 'sys.platform: linux',
            'seed': 0,
            'exp_name': 'sctnet.py',
            'mmseg_version': '0.26.0+unknown',
            'config': 'norm_cfg = dict(type="SyncBN")\n',
            'CLASSES': tuple(meta['classes']),
            'PALETTE': [list(colour) for colour in meta['palette']],
            'epoch': 516,
            'iter': 160000,
            'mmcv_version': '1.6.0',
            'time': 'Sun Jan  1 00:00:00 2024',
            'hook_msgs': {'best_score': np.float64(0.5), 'best_ckpt': 'best.pth'},
        },
        'state_dict': state,
    }
    if with_training:
        checkpoint['optimizer'] = {
            'state': {0: {'step': 160000, 'exp_avg': torch.zeros(3)}},
            'param_groups': [{'lr': 5e-4, 'betas': (0.9, 0.999), 'params': [0]}],
        }
    torch.save(checkpoint, path)
    return path


def assert_close_to_golden(
    ours: Tensor, golden: np.ndarray, **tolerance: float
) -> None:
    """Compare with the kept elements of one of the original's tensors."""
    kept = thin(np.ascontiguousarray(ours.detach().numpy()))
    torch.testing.assert_close(
        torch.from_numpy(kept), torch.from_numpy(golden), **tolerance
    )


def run_python(code, path=None):
    """Run ``code`` in a fresh interpreter; ``path`` comes first on sys.path."""
    lead = f'import sys; sys.path.insert(0, {str(path)!r})\n' if path else ''
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', lead + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


def randomise(network: nn.Module) -> nn.Module:
    """Give every norm statistics and weights of its own, and biases to all."""
    for module in network.modules():
        if getattr(module, 'running_var', None) is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
    return network


class Exploit:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return open, (str(self.target), 'w')
