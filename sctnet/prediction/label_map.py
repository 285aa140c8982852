"""Label maps, confidences and full-size logits from the network's small logits.

mmseg upsamples all K channels twice and takes the argmax of the result, gigabytes of
traffic for one number a pixel. Here the two resizes are composed into one
(:mod:`.resampling`), and the label map comes from the small logits in one go: on a CPU
from a kernel of Numba's that skips classes which cannot win, on a GPU from one of
Triton's, and where neither works as mmseg does it. Labels are mmseg's, except where two
classes are equal to float rounding.
"""

import logging
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.nn import functional as F

from .resampling import Resampling, compose

# What compiles the kernel of each device, and how it fails where it cannot: Numba may
# not be there yet for a new Python, Triton needs a C compiler and a recent GPU.
KERNELS: dict[str, tuple[str, tuple[type[Exception], ...]]] = {
    'cpu': ('Numba', (ImportError, OSError)),
    'cuda': ('Triton', (Exception,)),
}
_broken: set[str] = set()  # devices whose kernel failed: it is not tried again


class Geometry(NamedTuple):
    """How logits lie in an image.

    ``network`` is the (height, width) of the network's input; ``padding`` is what of it
    is not image: left, right, top, bottom, as mmseg orders them; ``image`` is the
    (height, width) of the original.
    """

    network: tuple[int, int]
    padding: tuple[int, int, int, int]
    image: tuple[int, int]


def label_map(logits: Tensor, geometry: Geometry, threads: int | None = None) -> Tensor:
    """Return the label map (H, W), int64, of logits (K, h, w) at the image's size.

    Where classes are equal the first wins, as in torch's argmax.

    Args:
        logits: the network's, of any float type.
        geometry: how they lie in the image.
        threads: of the kernel on a CPU; torch's number by default.
    """
    logits = logits.detach()
    labels = torch.empty(geometry.image, dtype=torch.int64, device=logits.device)
    if not _by_kernel(logits, geometry, labels, threads):
        labels.copy_(full_logits(_exact(logits), geometry).argmax(dim=0))
    return labels


def probabilities(full: Tensor) -> Tensor:
    """Return the probability (K, H, W) of each class of full logits (K, H, W)."""
    return _exact(full).softmax(dim=0)


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


def _by_kernel(
    logits: Tensor, geometry: Geometry, labels: Tensor, threads: int | None
) -> bool:
    """Let a compiled kernel write the labels; False where there is none that works."""
    device = logits.device.type
    if device not in KERNELS or device in _broken:
        return False
    compiler, failures = KERNELS[device]
    rows, columns = _axes(logits, geometry)
    try:
        if device == 'cuda':
            from .label_map_gpu import gpu_labels

            gpu_labels(logits, rows, columns, labels)
        else:
            from .label_map_cpu import cpu_labels

            values = _exact(logits).numpy()
            cpu_labels(values, rows, columns, labels.numpy(), threads)
    except failures as error:
        _broken.add(device)
        reason = ' '.join(str(error).split())[:200]
        print_log(
            f'{compiler} cannot make label maps here ({reason}): torch makes them, '
            'more slowly',
            logger='current',
            level=logging.WARNING,
        )
    return device not in _broken
