"""The benchmark of a network alone: a random tensor to logits, by any runtime.

mmseg traces some peers' sizes into the graph, so an export with a free size would be
wrong for them; every network is therefore exported at the size that is measured.
Pyramid pooling to 2x2, 3x3 and 6x6 (Fast-SCNN, ICNet) has no counterpart in ONNX and is
exported as two small matrix products, which compute the same.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..deploy.network import Network
from ..deploy.onnx_graph import ExportGraph, to_onnx
from ..deploy.runtimes import Runtime
from ..weights.bands import first_bands
from .case import Case, Contender, parse_backend
from .models import build_model, entries


class UpsampledNetwork(nn.Module):
    """Normalised images (N, 3, H, W) to logits (N, K, H, W), as published FPS count.

    Args:
        network: to logits of the decode head's own size.
        align_corners: how the segmentor upsamples.
    """

    def __init__(self, network: nn.Module, align_corners: bool) -> None:
        super().__init__()
        self.network = network
        self.align_corners = align_corners
        self.training = network.training  # the exporter sets back what this says

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


def exportable(module: nn.Module) -> nn.Module:
    """Copy a module with pooling that ONNX has."""
    module = copy.deepcopy(module)
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.AdaptiveAvgPool2d) and not _is_global(child):
                setattr(parent, name, MatrixPool(child.output_size))
    return module


def _is_global(pool: nn.AdaptiveAvgPool2d) -> bool:
    return pool.output_size in (1, (1, 1))


def build_network(name: str) -> UpsampledNetwork:
    """Build a network with random weights, upsampling to its input's size."""
    model = build_model(entries()[name])
    return UpsampledNetwork(Network(model), model.align_corners)


def network_contender(case: Case, device: str) -> Contender:
    """Prepare a random tensor to logits (N, K, H, W), upsampling inside the runtime.

    Raises:
        ArgumentError: the backend is not known, not installed, or not for ``device``.
    """
    backend, options = parse_backend(case.backend)
    network = build_network(case.model)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(
        case.batch, first_bands(network), *case.size, generator=generator
    )
    source: nn.Module | bytes
    if backend == 'torch':
        source = copy.deepcopy(network)  # which is converted in place
    elif backend == 'tensorrt':
        source = _engine(exportable(network), images)
    else:
        source = to_onnx(exportable(network), images, fixed=True)
    run, images = Runtime(source, backend, device, **options), images.to(device)
    return Contender(lambda: run(images), network, case.size)


def _engine(network: nn.Module, images: Tensor) -> bytes:
    """Build a TensorRT engine; needs its GPU, so it was never run by the tests."""
    from ..deploy.runtimes.on_tensorrt import build_engine

    model = to_onnx(ExportGraph(network, half=True), images, fixed=True)
    height, width = images.shape[-2:]
    return build_engine(model, (height, width))
