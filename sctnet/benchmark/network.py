"""The benchmark of a network alone: a random tensor to logits, by any runtime.

mmseg traces some peers' sizes into the graph, so an export with a free size would be
wrong for them; every network is therefore exported at the size that is measured.
"""

import copy
from typing import Any

import torch

from ..deploy.network import Network
from ..deploy.onnx_graph import ExportGraph, to_onnx
from ..deploy.runtimes import Runtime
from .case import Case, Contender, parse_backend
from .models import build_model, entries


def build_network(name: str) -> ExportGraph:
    """Build a network with random weights: normalised images (N, 3, H, W) to logits.

    They are upsampled to (N, K, H, W), as published FPS count.
    """
    return ExportGraph(Network(build_model(entries()[name])), 'full_logits')


def network_contender(case: Case, device: str) -> Contender:
    """Prepare a random tensor to logits (N, K, H, W), upsampling inside the runtime.

    Raises:
        ArgumentError: the backend is not known, not installed, or not for ``device``,
            or ONNX lacks what the network does.
    """
    backend, options = parse_backend(case.backend)
    network = build_network(case.model)
    graph: Any = copy.deepcopy(network)  # a backend may convert it
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(case.batch, 3, *case.size, generator=generator)
    if backend == 'tensorrt':
        from ..deploy.runtimes.on_tensorrt import build_engine

        graph = ExportGraph(graph.network, graph.output, half=True)
        graph = build_engine(to_onnx(graph, images, fixed=True), case.size)
    elif backend != 'torch':
        graph = to_onnx(graph, images, fixed=True)
    run, images = Runtime(graph, backend, device, **options), images.to(device)
    return Contender(lambda: run(images), network, case.size)
