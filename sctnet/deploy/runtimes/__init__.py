"""The runtimes behind one call: normalised images in, logits out."""

import importlib
import importlib.util
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import ArgumentError

Runtime = Callable[[Tensor], Tensor]  # images (N, 3, H, W) to logits (N, K, h, w)

BACKENDS = ('torch', 'onnxruntime', 'openvino', 'tensorrt')  # each a package too
EXTRAS = {'onnx': 'onnx', 'onnxruntime': 'onnx'}  # of those not named as the package
SUFFIXES = {'.onnx': 'onnxruntime', '.xml': 'openvino', '.engine': 'tensorrt'}


def build_runtime(
    source: nn.Module | str | bytes,
    backend: str,
    device: str | torch.device = 'cpu',
    **options: Any,
) -> Runtime:
    """Let ``backend`` run a network.

    Args:
        source: a :class:`~sctnet.deploy.graph.Network` in eval mode, or the path of a
            file that ``tools/export.py`` wrote for this backend, or its content.
        backend: ``torch``, ``onnxruntime``, ``openvino`` or ``tensorrt``.
        device: where it runs.
        **options: of the runtime's own; see its module.

    Returns:
        A callable from normalised float32 images (N, 3, H, W) to float32 logits
        (N, K, h, w). What it returns may be overwritten by its next call.

    Raises:
        ArgumentError: the backend or an option is not known, or what it needs is not
            installed.
    """
    load = _loader(backend)
    allowed = [name for name in inspect.signature(load).parameters if name not in FIXED]
    for option in options:
        if option not in allowed:
            raise ArgumentError(
                f"backend '{backend}' has no option '{option}': expected "
                f'{" or ".join(allowed)}'
            )
    return load(source, torch.device(device), **options)


FIXED = ('source', 'device')


def name_of(source: nn.Module | str | bytes) -> str:
    """Name what is run, for an error."""
    return f"'{source}'" if isinstance(source, str) else 'the exported network'


def is_installed(package: str) -> bool:
    """Whether ``package`` can be found."""
    return importlib.util.find_spec(package) is not None


def require(package: str) -> None:
    """Raise an ArgumentError with the remedy if ``package`` is not installed."""
    if not is_installed(package):
        extra = EXTRAS.get(package, package)
        raise ArgumentError(
            f"{package} is not installed: pip install 'sctnet[{extra}]', or take "
            'another backend'
        )


def _loader(backend: str) -> Callable[..., Runtime]:
    if backend not in BACKENDS:
        guess = get_close_matches(backend, BACKENDS, 1)
        hint = f'; did you mean {guess[0]}?' if guess else ''
        raise ArgumentError(
            f"backend '{backend}' is not known: expected one of "
            f'{", ".join(BACKENDS)}{hint}'
        )
    require(backend)
    return importlib.import_module(f'.on_{backend}', __name__).load
