"""A segmentor whose network some runtime runs."""

from typing import Any, NoReturn

import torch
from mmengine.config import Config
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ..errors import ArgumentError, ConfigError
from ..prediction.predict import NEEDS_FULL_LOGITS, fill_sample, small_logits_suffice
from .network import Network, deploy_graph
from .runtimes import Runtime, build_runtime


class RuntimeSegmentor:
    """What :func:`sctnet.apis.init_model` returns for other backends than torch.

    Takes the place of mmseg's segmentor in ``inference_model``, ours and mmseg's. It
    has no modules and cannot be trained.

    Args:
        run: the network; images (N, 3, H, W) to logits (N, K, h, w).
        backend: the runtime's name.
        cfg: the config, with a ``test_pipeline``.
        data_preprocessor: normalises images.
        dataset_meta: ``classes`` and ``palette``.
        num_classes: K.
    """

    def __init__(
        self,
        run: Runtime,
        *,
        backend: str,
        cfg: Config,
        data_preprocessor: nn.Module,
        dataset_meta: dict[str, Any] | None,
        num_classes: int,
    ) -> None:
        self._run = run
        self.backend = backend
        self.cfg = cfg
        self.data_preprocessor = data_preprocessor
        self.dataset_meta = dataset_meta
        self.num_classes = num_classes

    def network_logits(self, images: Tensor) -> Tensor:
        """Map normalised images (N, 3, H, W) to the network's logits (N, K, h, w)."""
        return self._run(images)

    def segment(
        self, images: Tensor, sample: SegDataSample, **wanted: Any
    ) -> SegDataSample:
        """Fill ``sample`` for one normalised image (1, 3, H, W), see fill_sample.

        Raises:
            ArgumentError: the image is flipped.
        """
        if sample.metainfo.get('flip'):
            raise ArgumentError(
                f"the test pipeline flips images, which backend '{self.backend}' does "
                "not undo: leave RandomFlip out, or pass backend='torch' to init_model"
            )
        return fill_sample(
            sample, self.network_logits(images)[0], images.shape[2:], **wanted
        )

    @torch.no_grad()
    def test_step(self, data: dict[str, Any]) -> list[SegDataSample]:
        """Segment a batch of a data loader, as mmseg's segmentors do.

        Raises:
            ArgumentError: it is of a test-time augmentation, which needs full logits.
        """
        data = self.data_preprocessor(data, False)
        images, samples = data['inputs'], data['data_samples']
        if any('flip' in sample.metainfo for sample in samples):
            raise ArgumentError(
                'test-time augmentation averages full logits: pass '
                "backend='torch' to init_model"
            )
        return [
            fill_sample(sample, logits, images.shape[2:])
            for sample, logits in zip(samples, self.network_logits(images), strict=True)
        ]

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
    """Let ``backend`` run a segmentor's deploy graph.

    Args:
        model: with ``cfg`` and ``dataset_meta``, from :func:`sctnet.apis.init_model`.
        backend: its name.
        device: where it runs.
        options: of the backend's own.

    Raises:
        ArgumentError: see :func:`build_runtime`.
        ConfigError: the model's way to predict is more than a network's.
    """
    if not small_logits_suffice(model, ()):
        raise ConfigError(NEEDS_FULL_LOGITS)
    run = build_runtime(Network(deploy_graph(model)), backend, device, **options)
    return RuntimeSegmentor(
        run,
        backend=backend,
        cfg=model.cfg,
        data_preprocessor=model.data_preprocessor,
        dataset_meta=model.dataset_meta,
        num_classes=model.num_classes,
    )
