"""The back ends that run a network: torch, ONNX Runtime, OpenVINO and TensorRT.

Each is a module ``on_NAME``: ``load`` opens a network or a file and says how to run it,
``FAILURES`` are the exceptions by which the library refuses either. A new back end is
one more such module, its name in :data:`BACKENDS`, and its files in :data:`SUFFIXES`.
"""

import importlib
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...compat.optional_packages import is_installed, require
from ...errors import ArgumentError, CheckpointError, SCTNetError

BACKENDS = ('torch', 'onnxruntime', 'openvino', 'tensorrt')  # each a package too
SUFFIXES = {'.onnx': 'onnxruntime', '.xml': 'openvino', '.engine': 'tensorrt'}


class Opened(NamedTuple):
    """What a back end gives: how to run, and the metadata of a file that has some."""

    run: Callable[[Tensor], Tensor]
    metadata: str | None = None


class Runtime:
    """A network that a back end runs: normalised images in, logits out.

    Several threads may call it; they take turns. Its memory is freed by :meth:`close`,
    at the end of a ``with`` block, or with the object.

    Args:
        source: a :class:`~sctnet.deploy.network.Network`, which may be moved and
            converted; or the path of a file that ``sctnet export`` wrote for this
            backend, or its content.
        backend: ``torch``, ``onnxruntime``, ``openvino`` or ``tensorrt``.
        device: where it runs.
        **options: of the backend's own; see ``load`` in its module.

    Attributes:
        metadata: what a file says of itself, as text; None where it says nothing.
        threads: of a CPU, as asked for; None for torch's number.

    Raises:
        ArgumentError: the backend, the device or an option is not known, or what it
            needs is not installed.
        CheckpointError: the backend cannot open it.
    """

    def __init__(
        self,
        source: nn.Module | str | bytes,
        backend: str,
        device: str | torch.device = 'cpu',
        **options: Any,
    ) -> None:
        check_backend(backend)
        check_options(backend, options)
        try:
            self.device = torch.device(device)
        except RuntimeError as error:
            raise ArgumentError(
                f"device '{device}' is not known: name one such as 'cpu' or 'cuda:0'"
            ) from error
        self.backend = backend
        self.threads: int | None = options.get('threads')
        self._name = f"'{source}'" if isinstance(source, str) else 'the network'
        self._turn = threading.Lock()
        module = _module_of(backend)
        self._failures: tuple[type[Exception], ...] = module.FAILURES
        with self._explain(f'cannot open {self._name}'):
            opened: Opened = module.load(source, self.device, **options)
        self.metadata = opened.metadata
        self._run: Callable[[Tensor], Tensor] | None = opened.run

    def __call__(self, images: Tensor) -> Tensor:
        """Map float32 images (N, 3, H, W) to float32 logits (N, K, h, w).

        Raises:
            CheckpointError: the back end refuses them.
            ArgumentError: it is closed.
        """
        with self._turn:
            if self._run is None:
                raise ArgumentError(f'{self._name} is closed: open it again')
            with self._explain(f'cannot run {self._name} on {tuple(images.shape)}'):
                return self._run(images)

    def close(self) -> None:
        """Free what the back end holds."""
        with self._turn:
            self._run = None

    def __enter__(self) -> 'Runtime':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _explain(self, problem: str) -> Iterator[None]:
        """Say in a sentence what the back end's library refuses."""
        try:
            yield
        except SCTNetError:
            raise
        except self._failures as error:
            lines = str(error).splitlines()
            kept = [line for line in lines if not line.startswith('Exception from')]
            reason = ' '.join(' '.join(kept).split())[:200]
            raise CheckpointError(
                f'{self.backend} {problem} ({reason}): export it again with sctnet '
                'export, or take another image size or backend'
            ) from error


def check_backend(backend: str) -> None:
    """Raise an ArgumentError if ``backend`` is not known or not installed."""
    if backend not in BACKENDS:
        guess = get_close_matches(str(backend), BACKENDS, 1)
        hint = f'; did you mean {guess[0]}?' if guess else ''
        raise ArgumentError(
            f"backend '{backend}' is not known: expected one of "
            f'{", ".join(BACKENDS)}{hint}'
        )
    require(backend, ', or take another backend')


def check_options(backend: str, options: Mapping[str, Any]) -> None:
    """Raise an ArgumentError for an option that ``backend`` does not take."""
    known = options_of(backend) if options else {}
    for name, value in options.items():
        if name not in known:
            others = [b for b in BACKENDS if is_installed(b) and name in options_of(b)]
            hint = f', or the backend {" or ".join(others)}' if others else ''
            raise ArgumentError(
                f"backend '{backend}' has no option '{name}': expected "
                f'{" or ".join(known)}{hint}'
            )
        if known[name].annotation is bool and not isinstance(value, bool):
            raise ArgumentError(f'{name} is {value!r}: expected True or False')


def options_of(backend: str) -> dict[str, inspect.Parameter]:
    """Return the options of an installed back end, by their names."""
    _, _, *options = inspect.signature(_module_of(backend).load).parameters.values()
    return {option.name: option for option in options}


def _module_of(backend: str) -> ModuleType:
    return importlib.import_module(f'.on_{backend}', __name__)


def is_exported(file: Any) -> bool:
    """Whether ``file`` names a model for a back end, by its suffix."""
    named = isinstance(file, str | os.PathLike)
    return named and Path(file).suffix.lower() in SUFFIXES


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


def check_choice(name: str, value: Any, choices: Mapping[str, Any]) -> None:
    """Raise an ArgumentError unless ``value`` is among ``choices``."""
    if value not in choices:
        raise ArgumentError(f"{name} '{value}': expected one of {', '.join(choices)}")
