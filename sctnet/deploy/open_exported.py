"""Opening files that ``tools/export.py`` wrote."""

import importlib
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmseg.models import SegDataPreProcessor

from ..errors import ArgumentError, CheckpointError
from .metadata import Metadata
from .runtime_segmentor import RuntimeSegmentor
from .runtimes import SUFFIXES, build_runtime, check_backend, default_device


def is_exported(file: Any) -> bool:
    """Whether ``file`` names a model for a runtime, by its suffix."""
    named = isinstance(file, str | os.PathLike)
    return named and Path(file).suffix.lower() in SUFFIXES


def open_exported(
    file: str | os.PathLike,
    config: Config | None,
    device: str | torch.device | None,
    backend: str | None,
    options: dict[str, Any],
) -> RuntimeSegmentor:
    """Open an exported model.

    Args:
        file: ``.onnx``, ``.xml`` or ``.engine``.
        config: whose test pipeline is used; the file's own by default, and where the
            file has a fixed size.
        device: where it runs; None takes what the backend can use.
        backend: the suffix's own by default; OpenVINO opens ``.onnx`` too.
        options: of the backend's own.

    Raises:
        CheckpointError: it is missing or damaged, or does more than the network.
        ArgumentError: the backend cannot open it.
    """
    path = Path(file)
    own = SUFFIXES[path.suffix.lower()]
    backend = backend or own
    check_backend(backend)
    if backend != own and (backend, path.suffix.lower()) != ('openvino', '.onnx'):
        raise ArgumentError(f"backend '{backend}' cannot open '{path}': take '{own}'")
    if not os.path.isfile(path):
        raise CheckpointError(f"'{path}' does not exist: check the path")
    device = device or default_device(backend)
    run = build_runtime(os.fspath(path), backend, device, **options)
    module = importlib.import_module(f'.runtimes.on_{backend}', __package__)
    metadata = Metadata.from_json(module.read_metadata(os.fspath(path)), path.name)
    if metadata.images != 'normalised' or metadata.output == 'labels':
        raise CheckpointError(
            f"'{path}' takes {metadata.images} images and gives {metadata.output}, for "
            'programs without sctnet: export one without --normalise and --output for '
            'init_model'
        )
    if config is None or metadata.size is not None:
        config = Config({'test_pipeline': metadata.test_pipeline()})
    preprocessor = SegDataPreProcessor(
        mean=metadata.mean, std=metadata.std, bgr_to_rgb=metadata.rgb
    )
    return RuntimeSegmentor(
        run,
        backend=backend,
        cfg=config,
        data_preprocessor=preprocessor,
        dataset_meta={'classes': metadata.classes, 'palette': metadata.palette},
        num_classes=len(metadata.classes),
    )
