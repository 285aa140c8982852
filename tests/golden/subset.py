"""Make the small copies in this folder from the full figures of the original.

    python tests/golden/subset.py FOLDER_WITH_THE_FULL_FIGURES

The full figures were recorded by running the original implementation (commit d4bd6d8,
MMSegmentation 0.26, torch 1.11, CPU) on seeded weights and images, see ``fill.py``.
Of a tensor with more than ``KEEP`` elements every ``stride``-th of the flattened tensor
is kept, the stride being prime so that it walks through all channels and positions.
"""

import json
import sys
from pathlib import Path

import numpy as np

KEEP = 2048
HERE = Path(__file__).resolve().parent
CONFIGS = (
    *('ade_s', 'ade_b', 'coco_b', 'city_s_seg50', 'city_s_seg75'),
    *('city_b_seg50', 'city_b_seg75', 'city_b_seg100'),
)
TRAINING = (
    *('train_ade_s', 'train_ade_s_125x187', 'train_ade_b', 'train_coco_b'),
    'train_city_s_seg75',
)


def stride_for(size: int) -> int:
    """Smallest prime stride that keeps at most KEEP of ``size`` elements."""
    stride = -(-size // KEEP)
    while any(stride % d == 0 for d in range(2, int(stride**0.5) + 1)):
        stride += 1
    return max(stride, 1)


def thin(array: np.ndarray) -> np.ndarray:
    """Every stride-th element of the flattened ``array``."""
    return array.reshape(-1)[:: stride_for(array.size)]


def subset_arrays(source: Path, name: str) -> None:
    """Thin the arrays of one file; label maps and sure pixels are kept whole."""
    kept = {}
    with np.load(source / f'{name}.npz') as full:
        for key in full.files:
            if key.endswith('.margin'):
                sure = full[key].astype(np.float32) > 1e-2
                kept[f'{key[:-7]}.sure'] = np.packbits(sure)
            elif key.endswith('.pred') or key == 'meta_json':
                kept[key] = full[key]
            else:
                kept[key] = thin(full[key])
    np.savez_compressed(HERE / f'{name}.npz', **kept)


def subset_training(source: Path) -> None:
    """Keep the float64 runs: losses, gradient norms, statistics, steps."""
    for name in (*TRAINING, 'steps_ade_s', 'steps_city_s_seg75'):
        full = json.loads((source / f'{name}.json').read_text())
        kept = {key: full[key] for key in ('image', 'labels', 'size') if key in full}
        kept['float64'] = {
            key: value
            for key, value in full['float64'].items()
            if key not in ('guidance_feats', 'losses_order', 'losses_shapes')
        }
        text = json.dumps(kept, separators=(',', ':'))
        (HERE / f'{name}.json').write_text(text)


def main() -> None:
    """Write every small copy."""
    source = Path(sys.argv[1])
    for config in CONFIGS:
        subset_arrays(source, f'eval_{config}')
    for config in ('ade_s', 'city_b_seg100', 'city_s_seg75', 'coco_b'):
        subset_arrays(source, f'double_{config}')
    subset_arrays(source, 'modules')
    subset_arrays(source, 'preprocess')
    subset_training(source)
    keys = {}
    for config in CONFIGS:
        entries = json.loads((source / f'keys_{config}.json').read_text())
        keys[config] = entries['state_dict']
    same = {'ade_s': 'ade_s', 'coco_b': 'coco_b', 'ade_b': 'ade_b'}
    same |= {'city_s_seg50': 'city_s', 'city_b_seg50': 'city_b'}
    (HERE / 'keys.json').write_text(
        json.dumps({new: keys[old] for old, new in same.items()}, separators=(',', ':'))
    )
    groups = json.loads((source / 'optim_groups.json').read_text())
    student = {
        config: {
            rate: [n for n in names if '.teacher_' not in n]
            for rate, names in groups[config]['classes'].items()
        }
        for config in CONFIGS
    }
    (HERE / 'optim_groups.json').write_text(json.dumps(student, separators=(',', ':')))
    schedule = json.loads((source / 'schedule.json').read_text())
    (HERE / 'schedule.json').write_text(json.dumps(schedule, separators=(',', ':')))


if __name__ == '__main__':
    main()
