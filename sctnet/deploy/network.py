"""The deploy graph: the network alone, with its norms folded where that is exact.

A batch norm that reads a convolution's output in eval mode is an affine map of it, and
is folded into the convolution's weights. Where a norm comes *before* a convolution it
stays: the convolution pads the norm's output with zeros, which shifted weights would
not reproduce at the border. In SCTNet these are the norms of CFBlock's two parts, all
of DAPPM's, and the first of the decode head.
"""

import copy
from collections import Counter

import torch
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..errors import ArgumentError

TOLERANCE = 1e-4  # of the logits' standard deviation


class Network(nn.Module):
    """What a runtime runs: normalised images (N, 3, H, W) to logits (N, K, h, w).

    Args:
        model: mmseg's encoder-decoder or ours; its backbone, neck and decode head are
            shared, not copied.
    """

    def __init__(self, model: EncoderDecoder) -> None:
        super().__init__()
        self.backbone = model.backbone
        self.neck = model.neck if model.with_neck else nn.Identity()
        self.decode_head = model.decode_head
        self.training = model.training  # the parts keep their own modes

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits at the decode head's own resolution."""
        return self.decode_head(self.neck(self.backbone(images)))


def deploy_graph(model: EncoderDecoder, fold: bool = True) -> EncoderDecoder:
    """Copy a segmentor for inference: without training-only parts, norms folded.

    The copy is the same kind of segmentor, so mmseg's ``inference_model`` and the
    Runner's test loop take it; it can no longer be trained or loaded into.

    Args:
        model: the segmentor, for instance of a training's checkpoint.
        fold: False keeps the norms.

    Returns:
        The copy in eval mode, its logits within 1e-4 of their standard deviation.

    Raises:
        ArgumentError: the folded network computes something else, as it would if it
            used a convolution's output beside the norm too.
    """
    if not isinstance(model, EncoderDecoder):
        raise ArgumentError(
            f'there is no deploy graph of a {type(model).__name__}: expected an '
            "encoder-decoder, such as init_model gives with backend='torch'"
        )
    training = _take_training_parts(model)
    try:
        deployed = copy.deepcopy(model).eval()
    finally:
        model.__dict__['_modules'].update(training)
    deployed.requires_grad_(False)
    if fold:
        _fold_norms(Network(deployed))
    return deployed


def _take_training_parts(model: EncoderDecoder) -> dict[str, nn.Module | None]:
    """Detach what only training uses, so that a copy does not copy it."""
    parts = {}
    for name in ('auxiliary_head', 'siam'):
        if name in model._modules:
            parts[name] = model._modules[name]
            model._modules[name] = None
    return parts


@torch.no_grad()
def _fold_norms(network: Network) -> None:
    """Fold, in place, every norm that reads nothing but a convolution's output.

    Which those are shows when an image passes; that the outputs go nowhere else is
    proved by comparing the logits before and after.
    """
    weight = next(network.parameters())
    dtype = weight.dtype
    network.double()  # rounding shall not look like a wrong fold
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, 128, 160, generator=generator)
    image = image.to(weight.device, torch.float64)
    expected = network(image)
    for conv, norm in _pairs(network, image):
        _fold(conv, norm)
        _replace(network, norm, nn.Identity())
    difference = (network(image) - expected).abs().max() / expected.std()
    if not difference <= TOLERANCE:
        raise ArgumentError(
            f'folding the norms of {type(network.backbone).__name__} changes its '
            f'logits by {difference:.1g} x their standard deviation: pass fold=False'
        )
    network.to(dtype)


def _fold(conv: _ConvNd, norm: _BatchNorm) -> None:
    """Fold ``norm`` into ``conv``."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    conv.weight, conv.bias = fuse_conv_bn_weights(
        *(conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps),
        *(norm.weight, norm.bias),
        transpose=conv.transposed,
    )


def _pairs(network: nn.Module, image: Tensor) -> list[tuple[_ConvNd, _BatchNorm]]:
    """Find convolutions whose output, unchanged, is what a norm reads, once each."""
    produced: dict[int, tuple[_ConvNd, Tensor, int]] = {}
    calls: Counter[nn.Module] = Counter()
    pairs = []

    def after_conv(conv: _ConvNd, _: tuple, output: Tensor) -> None:
        calls[conv] += 1
        produced[id(output)] = (conv, output, output._version)

    def before_norm(norm: _BatchNorm, inputs: tuple[Tensor, ...]) -> None:
        calls[norm] += 1
        if norm.running_mean is None:
            return
        conv, _, version = produced.get(id(inputs[0]), (None, None, None))
        if conv is not None and version == inputs[0]._version:
            pairs.append((conv, norm))

    hooks = [
        module.register_forward_hook(after_conv)
        if isinstance(module, _ConvNd)
        else module.register_forward_pre_hook(before_norm)
        for module in network.modules()
        if isinstance(module, _ConvNd | _BatchNorm)
    ]
    try:
        network(image)
    finally:
        for hook in hooks:
            hook.remove()
    return [(c, n) for c, n in pairs if calls[c] == 1 and calls[n] == 1]


def _replace(network: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in network.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)
