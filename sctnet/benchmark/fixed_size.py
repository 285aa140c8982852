"""Running a module with any runtime for one size of input.

mmseg traces some peers' sizes into the graph, so an export with a free size would be
wrong for them; every network is therefore exported at the size that is measured.
Pyramid pooling to 2x2, 3x3 and 6x6 (Fast-SCNN, ICNet) has no counterpart in ONNX and is
exported as two small matrix products, which compute the same.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..deploy.network import Network
from ..deploy.runtimes import Runtime, build_runtime
from ..deploy.to_onnx import ExportGraph, to_onnx


class UpsampledNetwork(nn.Module):
    """Normalised images (N, 3, H, W) to logits (N, K, H, W), as published FPS count.

    Args:
        network: to logits of the decode head's own size.
        align_corners: how the segmentor upsamples.
    """

    def __init__(self, network: Network, align_corners: bool) -> None:
        super().__init__()
        self.network = network
        self.align_corners = align_corners

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits at the input's size."""
        return F.interpolate(
            self.network(images),
            images.shape[-2:],
            mode='bilinear',
            align_corners=self.align_corners,
        )


class MatrixPool(nn.Module):
    """``nn.AdaptiveAvgPool2d`` as products with averaging matrices, for export.

    Args:
        size: of the output, or its (rows, columns); None keeps a length.
    """

    def __init__(self, size: int | tuple[int | None, int | None] | None) -> None:
        super().__init__()
        self.size = size if isinstance(size, tuple) else (size, size)

    def forward(self, x: Tensor) -> Tensor:
        """Average (N, C, H, W) to (N, C, *size)."""
        rows, columns = (
            _averaging(int(n), out or int(n)).to(x)
            for n, out in zip(x.shape[2:], self.size, strict=True)
        )
        return rows @ x @ columns.t()


def _averaging(n: int, out: int) -> Tensor:
    """Matrix (out, n) of the means that adaptive average pooling takes."""
    return F.adaptive_avg_pool1d(torch.eye(n)[None], out)[0].t()


def _exportable(module: nn.Module) -> nn.Module:
    """Copy a module with pooling that ONNX has."""
    module = copy.deepcopy(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and not _is_global(child):
                setattr(parent, name, MatrixPool(child.output_size))
    return module


def _is_global(pool: nn.AdaptiveAvgPool2d) -> bool:
    return pool.output_size in (1, (1, 1))


def run_fixed(
    module: nn.Module,
    images: Tensor,
    backend: str,
    device: str = 'cpu',
    **options: Any,
) -> Runtime:
    """Let ``backend`` run ``module`` for inputs shaped as ``images``.

    Args:
        module: from one tensor to one tensor, in eval mode, on the CPU; torch's backend
            converts it in place.
        images: an example, on the CPU.
        backend: as :func:`build_runtime` names them.
        device: where it runs.
        **options: of the backend's own.

    Raises:
        ArgumentError: the backend or an option is not known or not installed.
    """
    if backend == 'torch':
        return build_runtime(module, backend, device, **options)
    module = _exportable(module)
    if backend == 'tensorrt':
        half = options.pop('precision', 'fp16') == 'fp16'
        return build_runtime(_engine(module, images, half), backend, device, **options)
    model = to_onnx(module, images, fixed=True)
    return build_runtime(model, backend, device, **options)


def _engine(module: nn.Module, images: Tensor, half: bool) -> bytes:
    """Build a TensorRT engine; needs its GPU, so it was never run by the tests."""
    from ..deploy.runtimes.on_tensorrt import build_engine

    model = to_onnx(ExportGraph(module, half=half), images, fixed=True)
    height, width = images.shape[-2:]
    return build_engine(model, (height, width))
