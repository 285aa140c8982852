"""Segmentors whose network a back end runs: of a model in memory or of a file."""

import os
from pathlib import Path
from typing import Any, NoReturn

import torch
from mmengine.config import Config
from mmseg.models import SegDataPreProcessor
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..errors import ArgumentError, CheckpointError, ConfigError
from ..prediction.predict import NEEDS_FULL_LOGITS, fill_sample, small_logits_suffice
from .metadata import Metadata
from .network import Network
from .runtimes import SUFFIXES, Runtime, check_backend, default_device


class RuntimeSegmentor:
    """What :func:`sctnet.apis.init_model` returns for other backends than torch.

    Takes the place of mmseg's segmentor in ``inference_model``, ours and mmseg's. It
    has no modules and cannot be trained.

    Args:
        runtime: the network.
        cfg: with a ``test_pipeline``.
        data_preprocessor: normalises images.
        dataset_meta: ``classes`` and ``palette``.
        num_classes: K.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        cfg: Config,
        data_preprocessor: nn.Module,
        dataset_meta: dict[str, Any] | None,
        num_classes: int,
    ) -> None:
        self._runtime = runtime
        self.backend = runtime.backend
        self.cfg = cfg
        self.data_preprocessor = data_preprocessor
        self.dataset_meta = dataset_meta
        self.num_classes = num_classes

    def network_logits(self, images: Tensor) -> Tensor:
        """Map normalised images (N, 3, H, W) to the network's logits (N, K, h, w)."""
        return self._runtime(images)

    def segment(
        self, images: Tensor, samples: list[SegDataSample], **wanted: Any
    ) -> list[SegDataSample]:
        """Fill the samples of normalised images (N, 3, H, W), see fill_sample.

        Raises:
            ArgumentError: an image is flipped.
        """
        if any(sample.metainfo.get('flip') for sample in samples):
            raise ArgumentError(
                f"the test pipeline flips images, which backend '{self.backend}' does "
                "not undo: leave RandomFlip out, or pass backend='torch' to init_model"
            )
        threads = self._runtime.threads
        return [
            fill_sample(sample, logits, images.shape[2:], threads=threads, **wanted)
            for sample, logits in zip(samples, self.network_logits(images), strict=True)
        ]

    @torch.no_grad()
    def test_step(self, data: dict[str, Any]) -> list[SegDataSample]:
        """Segment a batch of a data loader, as mmseg's segmentors do."""
        data = self.data_preprocessor(data, False)
        return self.segment(data['inputs'], data['data_samples'])

    def close(self) -> None:
        """Free what the back end holds; nothing can be segmented afterwards."""
        self._runtime.close()

    def eval(self) -> 'RuntimeSegmentor':
        """Do nothing: it is always in eval mode."""
        return self

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"a segmentor that runs on {self.__dict__.get('backend')} has no '{name}': "
            "pass backend='torch' to init_model for one with torch's modules"
        )

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backend={self.backend!r})'


def run_on(
    model: BaseSegmentor,
    backend: str,
    device: str | torch.device,
    options: dict[str, Any],
) -> RuntimeSegmentor:
    """Let ``backend`` run a copy of a segmentor's network.

    Args:
        model: with ``cfg`` and ``dataset_meta``, from :func:`sctnet.apis.init_model`.
        backend: its name.
        device: where it runs.
        options: of the backend's own.

    Raises:
        ArgumentError: see :class:`Runtime`.
        ConfigError: the model's way to predict is more than a network's.
    """
    if not small_logits_suffice(model, ()):
        raise ConfigError(NEEDS_FULL_LOGITS)
    runtime = Runtime(Network(model), backend, device, **options)
    return RuntimeSegmentor(
        runtime,
        cfg=model.cfg,
        data_preprocessor=model.data_preprocessor,
        dataset_meta=model.dataset_meta,
        num_classes=model.num_classes,
    )


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
    runtime = Runtime(os.fspath(path), backend, device, **options)
    metadata = Metadata.from_json(runtime.metadata, path.name)
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
        runtime,
        cfg=config,
        data_preprocessor=preprocessor,
        dataset_meta={'classes': metadata.classes, 'palette': metadata.palette},
        num_classes=len(metadata.classes),
    )
