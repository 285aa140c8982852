"""What is timed: a case, and how it becomes a call.

Three kinds. ``network`` runs a network on a random tensor, to logits at the tensor's
own size, as published FPS are counted. ``image`` takes an image in memory to its label
map, by mmseg's own functions or by ours. ``train`` takes a batch to updated weights.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..deploy.network import Network, deploy_graph
from ..errors import ArgumentError
from .fixed_size import UpsampledNetwork, run_fixed
from .peers import build_model, entries
from .stages import Stopwatch

NORMS = ('kept', 'folded')
INT8 = 'onnxruntime+int8'  # of images alone, see images.py
# What may follow a backend's name after a plus sign.
OPTIONS: dict[str, tuple[str, Any]] = {
    'fp16': ('dtype', 'fp16'),
    'bf16': ('dtype', 'bf16'),
    'channels_last': ('channels_last', True),
    'compile': ('compile', True),
    'graphs': ('cuda_graphs', True),
}


class Case(NamedTuple):
    """What is run, and on what."""

    model: str
    # 'mmseg', 'torch', 'onnxruntime', ..., 'torch+channels_last+compile'; to train
    # 'reference', 'fused', 'fused+amp'
    backend: str
    norms: str  # 'kept', 'folded'
    batch: int
    size: tuple[int, int]  # (height, width) of the tensor or of the image


class Contender(NamedTuple):
    """A case that is ready to run."""

    call: Callable[[], object]
    network: UpsampledNetwork | None  # for counting, with norms as the case says
    input_size: tuple[int, int]  # (height, width) of the network's input
    stopwatch: Stopwatch | None = None
    labels: Callable[[], Tensor] | None = None  # of what the last call returned
    loss: Callable[[], float | None] | None = None  # of the first call
    largest_batch: Callable[[], int] | None = None  # that fits in a GPU


def parse_backend(text: str) -> tuple[str, dict[str, Any]]:
    """Split ``torch+fp16+graphs`` into the backend and its options.

    Raises:
        ArgumentError: an option is not known; the runtime checks the backend itself.
    """
    backend, *words = text.split('+')
    for word in words:
        if word not in OPTIONS:
            raise ArgumentError(
                f"backend '{text}' has no option '{word}': expected some of "
                f'{", ".join(OPTIONS)}, as in torch+channels_last+compile'
            )
    return backend, dict(OPTIONS[word] for word in words)


def build_network(name: str, norms: str) -> UpsampledNetwork:
    """Build a network with its norms ``kept`` or ``folded``, upsampling to its input.

    Every network's norms are folded by the same code, wherever one reads nothing but a
    convolution's output.

    Raises:
        ArgumentError: its norms cannot be folded.
    """
    model = build_model(entries()[name])
    if norms == 'folded':
        model = deploy_graph(model)
    network = UpsampledNetwork(Network(model), model.align_corners)
    return network.requires_grad_(False)


def network_contender(case: Case, device: str) -> Contender:
    """Prepare a random tensor to logits (N, K, H, W), upsampling inside the runtime.

    Raises:
        ArgumentError: the backend is not known, not installed, or not for ``device``.
    """
    backend, options = parse_backend(case.backend)
    network = build_network(case.model, case.norms)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(case.batch, 3, *case.size, generator=generator)
    run = run_fixed(copy.deepcopy(network), images, backend, device, **options)
    images = images.to(device)
    return Contender(lambda: run(images), network, case.size)
