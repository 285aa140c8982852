"""From the network's small logits to what is wanted at the image's own size.

mmseg upsamples all K channels twice and takes the argmax of the result, gigabytes of
traffic for one number a pixel. Here the two resizes are composed into one
(:mod:`.resampling`), and the label map comes from the small logits in one go: on a CPU
from a kernel of Numba's that skips classes which cannot win, on a GPU from one of
Triton's, and otherwise in blocks of rows. Labels are mmseg's, except where two classes
are equal to float rounding.
"""

import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.nn import functional as F

from .resampling import Resampling, compose

_triton_works = True  # until it does not
BLOCK = 1 << 22  # upsampled values that are held at a time: 16 MiB of float32


class Geometry(NamedTuple):
    """How logits lie in an image.

    ``network`` is the (height, width) of the network's input; ``padding`` is what of it
    is not image: left, right, top, bottom, as mmseg orders them; ``image`` is the
    (height, width) of the original.
    """

    network: tuple[int, int]
    padding: tuple[int, int, int, int]
    image: tuple[int, int]


def label_map(
    logits: Tensor, geometry: Geometry, dtype: torch.dtype = torch.int64
) -> Tensor:
    """Return the label map (H, W) of logits (K, h, w) at the image's size.

    Where classes are equal the first wins, as in torch's argmax.
    """
    logits = logits.detach()
    rows, columns = _axes(logits, geometry)
    labels = torch.empty(geometry.image, dtype=dtype, device=logits.device)
    if logits.is_cuda and _on_gpu(logits, rows, columns, labels):
        return labels
    if logits.device.type == 'cpu' and (kernel := _numba_kernel()):
        kernel(_exact(logits).numpy(), rows, columns, labels.numpy())
    else:
        for block, values in _upsampled(logits, rows, columns):
            labels[block] = values.argmax(dim=0)
    return labels


def confidence(logits: Tensor, geometry: Geometry) -> Tensor:
    """Return the probability (H, W) of the winning class, its softmax over K."""
    scores = logits.new_empty(geometry.image, dtype=_exact(logits).dtype)
    for block, values in _upsampled(logits, *_axes(logits, geometry)):
        scores[block] = (values.amax(dim=0) - values.logsumexp(dim=0)).exp()
    return scores


def top_k(logits: Tensor, geometry: Geometry, k: int) -> tuple[Tensor, Tensor]:
    """Return the ``k`` best classes, best first: labels and probabilities (k, H, W)."""
    labels = logits.new_empty((k, *geometry.image), dtype=torch.int64)
    scores = logits.new_empty((k, *geometry.image), dtype=_exact(logits).dtype)
    for block, values in _upsampled(logits, *_axes(logits, geometry)):
        best, labels[:, block] = values.topk(k, dim=0)
        scores[:, block] = (best - values.logsumexp(dim=0)).exp()
    return labels, scores


def full_logits(logits: Tensor, geometry: Geometry) -> Tensor:
    """Return all logits (K, H, W) at the image's size, by mmseg's two resizes."""
    left, right, top, bottom = geometry.padding
    height, width = geometry.network
    middle = F.interpolate(logits[None], geometry.network, mode='bilinear')
    middle = middle[..., top : height - bottom, left : width - right]
    return F.interpolate(middle, geometry.image, mode='bilinear')[0]


def _axes(logits: Tensor, geometry: Geometry) -> tuple[Resampling, Resampling]:
    left, right, top, bottom = geometry.padding
    kind = str(_exact(logits).dtype).removeprefix('torch.')
    sizes = zip(logits.shape[1:], geometry.network, geometry.image, strict=True)
    rows, columns = (
        compose(source, middle, crop, target, kind)
        for (source, middle, target), crop in zip(
            sizes, ((top, bottom), (left, right)), strict=True
        )
    )
    return rows, columns


def _exact(logits: Tensor) -> Tensor:
    """Return half-precision logits as float32, others as they are."""
    return logits.float() if logits.element_size() < 4 else logits


def _upsampled(
    logits: Tensor, rows: Resampling, columns: Resampling
) -> Iterator[tuple[slice, Tensor]]:
    """Yield blocks of rows and their upsampled logits (K, rows, W)."""
    logits = _exact(logits)
    height, width = len(rows.start), len(columns.start)
    step = max(1, BLOCK // (len(logits) * width))
    for first in range(0, height, step):
        block = slice(first, min(first + step, height))
        mixed = _interpolate(logits, rows, block, dim=1)
        yield block, _interpolate(mixed, columns, slice(None), dim=2)


def _interpolate(values: Tensor, axis: Resampling, span: slice, dim: int) -> Tensor:
    """Resample one dimension of (K, h, w) to the outputs in ``span``."""
    start = torch.from_numpy(axis.start[span]).to(values.device)
    weights = torch.from_numpy(axis.weights[span]).to(values.device)
    shape = [1, 1, 1]
    shape[dim] = len(start)
    last = values.shape[dim] - 1
    total = values.index_select(dim, start) * weights[:, 0].view(shape)
    for tap in range(1, weights.shape[1]):
        neighbour = values.index_select(dim, (start + tap).clamp_(max=last))
        total.addcmul_(neighbour, weights[:, tap].view(shape))
    return total


def _numba_kernel() -> Callable[..., None] | None:
    try:
        from .label_map_cpu import cpu_labels
    except (ImportError, RuntimeError):
        # No Numba yet for a new Python or NumPy, or no folder for what it compiles.
        return None
    return cpu_labels


def _on_gpu(
    logits: Tensor, rows: Resampling, columns: Resampling, labels: Tensor
) -> bool:
    """Let Triton write the labels; False, once and for all, where it cannot."""
    global _triton_works
    if _triton_works:
        try:
            from .label_map_gpu import gpu_labels

            gpu_labels(logits, rows, columns, labels)
        except Exception as error:  # it needs a C compiler and a recent GPU
            _triton_works = False
            print_log(
                f'Triton cannot make label maps here ({str(error).splitlines()[:1]}): '
                'torch makes them, more slowly',
                logger='current',
                level=logging.WARNING,
            )
    return _triton_works
