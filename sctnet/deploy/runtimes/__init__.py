"""The runtimes behind one call: normalised images in, logits out."""

import importlib
import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from ...compat.optional_packages import is_installed, require
from ...errors import ArgumentError

Runtime = Callable[[Tensor], Tensor]  # images (N, 3, H, W) to logits (N, K, h, w)

BACKENDS = ('torch', 'onnxruntime', 'openvino', 'tensorrt')  # each a package too
SUFFIXES = {'.onnx': 'onnxruntime', '.xml': 'openvino', '.engine': 'tensorrt'}


def build_runtime(
    source: nn.Module | str | bytes,
    backend: str,
    device: str | torch.device = 'cpu',
    **options: Any,
) -> Runtime:
    """Let ``backend`` run a network.

    Args:
        source: a :class:`~sctnet.deploy.network.Network` in eval mode, or the path of a
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
    check_backend(backend)
    load = importlib.import_module(f'.on_{backend}', __name__).load
    allowed = [name for name in inspect.signature(load).parameters if name not in FIXED]
    for option in options:
        if option not in allowed:
            raise ArgumentError(
                f"backend '{backend}' has no option '{option}': expected "
                f'{" or ".join(allowed)}'
            )
    return load(source, torch.device(device), **options)


FIXED = ('source', 'device')


def default_device(backend: str | None) -> str:
    """Return the first GPU where torch, and the backend, can use one, else the CPU."""
    if not torch.cuda.is_available() or backend == 'openvino':
        return 'cpu'
    if backend == 'onnxruntime' and is_installed(backend):
        import onnxruntime

        if 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
            return 'cpu'
    return 'cuda:0'


def count_threads(threads: int | None) -> int:
    """Return the number of threads to use, torch's by default.

    Raises:
        ArgumentError: ``threads`` is below 1.
    """
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ArgumentError(f'threads is {threads!r}: expected 1 or more')
    return threads or torch.get_num_threads()


def name_of(source: nn.Module | str | bytes) -> str:
    """Name what is run, for an error."""
    return f"'{source}'" if isinstance(source, str) else 'the exported network'


def check_backend(backend: str) -> None:
    """Raise an ArgumentError if ``backend`` is not known or not installed."""
    if backend not in BACKENDS:
        guess = get_close_matches(str(backend), BACKENDS, 1)
        hint = f'; did you mean {guess[0]}?' if guess else ''
        raise ArgumentError(
            f"backend '{backend}' is not known: expected one of "
            f'{", ".join(BACKENDS)}{hint}'
        )
    require(backend)
