"""Deterministic weights, images and labels for SCTNet golden figures.

numpy + stdlib only, python >= 3.8.  Everything depends only on the salt,
the tensor's name (its full name in upstream's training segmentor state_dict,
e.g. ``backbone.conv1.0.weight``) and its shape.
"""

import zlib

import numpy as np

KINDS = (
    'running_mean',
    'running_var',
    'num_batches_tracked',
    'norm_weight',
    'bias',
    'kv',
    'matrix',
)


def infer_kind(name, shape):
    shape = tuple(int(s) for s in shape)
    if name.endswith('running_mean'):
        return 'running_mean'
    if name.endswith('running_var'):
        return 'running_var'
    if name.endswith('num_batches_tracked'):
        return 'num_batches_tracked'
    if len(shape) >= 2:
        if name.endswith('.kv') or name.endswith('.kv3'):
            return 'kv'
        return 'matrix'
    if len(shape) == 1 and name.endswith('.weight'):
        return 'norm_weight'
    return 'bias'


def fill(name, shape, kind=None, salt=''):
    """np.float32 array for the tensor `name` of `shape`.

    kind: one of KINDS, or None to infer it from the name and the shape.
    """
    shape = tuple(int(s) for s in shape)
    rng = np.random.default_rng(zlib.crc32((salt + name).encode()))
    if kind is None:
        kind = infer_kind(name, shape)
    if kind == 'running_mean':
        a = rng.normal(0.0, 0.1, size=shape)
    elif kind == 'running_var':
        a = rng.uniform(0.5, 1.5, size=shape)
    elif kind == 'num_batches_tracked':
        a = np.zeros(shape)
    elif kind == 'norm_weight':
        a = rng.uniform(0.5, 1.5, size=shape)
    elif kind == 'bias':
        a = rng.normal(0.0, 0.1, size=shape)
    elif kind == 'kv':
        fan_in = int(np.prod(shape[1:]))
        a = rng.normal(0.0, 1.0 / np.sqrt(fan_in), size=shape)
    elif kind == 'matrix':
        fan_in = int(np.prod(shape[1:]))
        a = rng.normal(0.0, np.sqrt(2.0 / fan_in), size=shape)
    else:
        raise ValueError(f'unknown kind {kind!r}')
    return np.asarray(a, dtype=np.float32)


def image(seed, n, h, w):
    """float32 network input (already "normalised"), shape (n, 3, h, w)."""
    return np.random.default_rng(seed).standard_normal((n, 3, h, w)).astype(np.float32)


def labels(seed, n, h, w, num_classes, block=16, ignore=255, p_ignore=0.05):
    """int64 labels (n, h, w), constant on block x block squares anchored at
    the top left, about p_ignore of the squares set to `ignore`."""
    rng = np.random.default_rng(seed)
    bh, bw = -(-h // block), -(-w // block)
    small = rng.integers(0, num_classes, size=(n, bh, bw))
    drop = rng.random((n, bh, bw)) < p_ignore
    small = np.where(drop, ignore, small)
    full = np.repeat(np.repeat(small, block, axis=1), block, axis=2)
    return np.ascontiguousarray(full[:, :h, :w]).astype(np.int64)


def fill_state(names_shapes, salt=''):
    """{name: np.float32 array} for an iterable of (name, shape)."""
    return {n: fill(n, s, salt=salt) for n, s in names_shapes}
