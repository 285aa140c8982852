"""Turning a network into an ONNX graph, for exported files and for back ends."""

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.onnx.errors import OnnxExporterError

from ..compat.optional_packages import require
from ..errors import ArgumentError
from ..weights.bands import first_bands

OPSET = 18
OUTPUTS = {  # each with the names of its free axes
    'logits': {0: 'N', 2: 'h', 3: 'w'},
    'full_logits': {0: 'N', 2: 'H', 3: 'W'},
    'labels': {0: 'N', 1: 'H', 2: 'W'},
}


class Normalise(nn.Module):
    """OpenCV's images, BGR uint8 (N, H, W, 3), to the network's input (N, 3, H, W)."""

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], rgb: bool = True
    ) -> None:
        super().__init__()
        self.order = [2, 1, 0] if rgb else [0, 1, 2]
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1))
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Bring the channels first, in the network's order, and normalise."""
        planes = images.permute(0, 3, 1, 2)[:, self.order]
        return (planes.float() - self.get_buffer('mean')) / self.get_buffer('std')


class ExportGraph(nn.Module):
    """What is exported: the network and what is asked for before and behind it.

    Args:
        network: normalised images (N, 3, H, W) to logits (N, K, h, w).
        output: ``logits`` as they are, ``full_logits`` (N, K, H, W) at the input's
            size, or ``labels`` (N, H, W) uint8, int32 from 256 classes on.
        normalise: takes :class:`Normalise`'s images instead of normalised ones.
        half: converts the network to float16; in and out it stays float32.
    """

    def __init__(
        self,
        network: nn.Module,
        output: str = 'logits',
        normalise: Normalise | None = None,
        half: bool = False,
    ) -> None:
        super().__init__()
        if output not in OUTPUTS:
            raise ArgumentError(
                f"output '{output}' is not known: expected one of {', '.join(OUTPUTS)}"
            )
        self.normalise = normalise or nn.Identity()
        self.network = network.half() if half else network
        self.half_precision = half
        self.output = output
        self.training = network.training  # the exporter sets back what this says

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits or labels."""
        images = self.normalise(images)
        logits = self.network(images.half() if self.half_precision else images).float()
        if self.output == 'logits':
            return logits
        logits = F.interpolate(logits, images.shape[-2:], mode='bilinear')
        if self.output == 'full_logits':
            return logits
        return logits.argmax(1).to(
            torch.uint8 if logits.shape[1] < 257 else torch.int32
        )


def to_onnx(graph: nn.Module, images: Tensor, fixed: bool = False) -> bytes:
    """Export ``graph`` by tracing it with ``images``.

    Args:
        graph: from one tensor to one tensor, in eval mode.
        images: an input of the kind and, where ``fixed``, the size that it will get.
        fixed: let the size of the input be that of ``images``; else N, H and W are
            free.

    Returns:
        The model, with input ``images`` and output ``output``.

    Raises:
        ArgumentError: ``onnx`` is not installed, or ONNX lacks what the graph does.
    """
    require('onnx')
    height = 1 if images.shape[-1] == 3 else 2
    axes = {'images': {0: 'N', height: 'H', height + 1: 'W'}}
    if isinstance(graph, ExportGraph):
        axes['output'] = OUTPUTS[graph.output]
    model = io.BytesIO()
    with _quiet(), torch.no_grad():
        # The other exporter takes ten seconds where this one takes one.
        torch.onnx.export(
            graph,
            (images,),
            model,  # type: ignore[arg-type]  # takes files, says not
            dynamo=False,
            opset_version=OPSET,
            input_names=['images'],
            output_names=['output'],
            dynamic_axes=None if fixed else axes,
        )
    return model.getvalue()


def as_onnx(network: nn.Module) -> bytes:
    """Export a plain network for inputs of any size."""
    device = next(network.parameters()).device
    images = torch.zeros(1, first_bands(network), 128, 160, device=device)
    return to_onnx(ExportGraph(network), images)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says of shapes, which it does handle."""
    logger = logging.getLogger('torch.onnx')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    except (OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().partition('\n')[0].partition('  [Caused')[0]
        raise ArgumentError(
            f"the network cannot be exported to ONNX ({reason}): take backend='torch'"
        ) from error
    finally:
        logger.setLevel(level)
