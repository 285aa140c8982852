"""Inference from Python: build a model from a name, segment images with it."""

import copy
import os
from collections.abc import Callable
from typing import Any, TypeAlias, overload

import numpy as np
import torch
from mmengine.config import Config
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample

from .catalog import load_config, merge_options
from .compat.optional_packages import is_installed
from .deploy.runtime_segmentor import RuntimeSegmentor, open_exported, run_on
from .deploy.runtimes import check_backend, default_device, is_exported, options_of
from .engine.build_model import build_segmentor, dataset_meta_from_config
from .errors import ArgumentError
from .models import SCTSegmentor
from .prediction.predict import (
    fill_sample,
    network_logits,
    small_logits_suffice,
    whole_labels,
)
from .prediction.preprocess import ImagePreprocessor, image_reader
from .weights.segmentor_files import find_segmentor

__all__ = ['dataset_meta_from_config', 'inference_model', 'init_model']

Image = str | os.PathLike | np.ndarray
Segmentor: TypeAlias = BaseSegmentor | RuntimeSegmentor


def init_model(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device | None = None,
    cfg_options: dict[str, Any] | None = None,
    backend: str | None = None,
    **backend_options: Any,
) -> Segmentor:
    """Build a segmentor for inference, without its training-only parts.

    Args:
        config: path, leaf name (``sctnet_s_seg50_2xb8_160k_cityscapes_512x1024``),
            short name (``sctnet-s-seg50``) or mmengine ``Config``; or a file that
            ``sctnet export`` wrote, which needs nothing else.
        checkpoint: weights as the original released them, our own, or what
            ``sctnet weights`` wrote (``.pth``, ``.safetensors``); a path or URL; the
            work folder of a training, of which the best checkpoint is taken, else the
            newest; or an exported ``.onnx``, ``.xml`` or ``.engine``. None keeps the
            initial weights.
        device: where it runs; None takes the GPU if there is one.
        cfg_options: dotted keys and values to change in the config.
        backend: ``torch``, ``onnxruntime``, ``openvino`` or ``tensorrt``. None takes
            ONNX Runtime for an SCTNet on a CPU if it is installed, torch otherwise.
        **backend_options: of the backend's module in :mod:`sctnet.deploy.runtimes`,
            for instance ``threads=2``, which the label map keeps to as well, or, for
            torch, ``compile=True``.

    Returns:
        With the backend torch and no option of its own, the segmentor itself in eval
        mode; else a :class:`RuntimeSegmentor` of its network. Both have ``cfg``
        and ``dataset_meta`` (``classes`` and ``palette``, from the checkpoint, else
        from the config's data set).

    Raises:
        ConfigError: there is no such config.
        CheckpointError: the file is missing, damaged, unsafe, or does not fit.
        ArgumentError: torch has no such device, or the backend is not installed or
            has no such option.
    """
    if is_exported(config) or is_exported(checkpoint):
        return _open(config, checkpoint, device, cfg_options, backend, backend_options)
    if backend is not None:
        check_backend(backend)
    device = device or default_device(backend)
    weights = None if checkpoint is None else find_segmentor(checkpoint)
    model = build_segmentor(config, weights, cfg_options or {})
    try:
        model.to(device)
    except (AssertionError, RuntimeError) as error:  # torch raises either
        raise ArgumentError(
            f"device '{device}' cannot be used ({str(error).splitlines()[0]}): name "
            "one that torch has, such as 'cpu'"
        ) from error
    backend = backend or _default_backend(model, device, backend_options)
    if backend == 'torch' and not backend_options:
        return model
    return run_on(model, backend, device, backend_options)


def _open(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None,
    device: str | torch.device | None,
    cfg_options: dict[str, Any] | None,
    backend: str | None,
    backend_options: dict[str, Any],
) -> RuntimeSegmentor:
    """Open an exported file, named as the config or as the checkpoint."""
    file: Any = checkpoint if is_exported(checkpoint) else config
    cfg = None
    if is_exported(config) and checkpoint not in (None, config):
        raise ArgumentError(
            f"'{config}' holds its weights already: leave the checkpoint out"
        )
    if not is_exported(config):
        cfg = copy.deepcopy(load_config(config))
        merge_options(cfg, cfg_options or {})
    elif cfg_options:
        raise ArgumentError(
            f"cfg_options do not change '{config}', which has no config: leave them "
            'out, or export it anew'
        )
    return open_exported(file, cfg, device, backend, backend_options)


def _default_backend(
    model: BaseSegmentor, device: str | torch.device, options: dict[str, Any]
) -> str:
    """Return the fastest back end here; torch where an option is torch's alone."""
    on_cpu = torch.device(device).type == 'cpu'
    fast = isinstance(model, SCTSegmentor) and small_logits_suffice(model, ())
    there = is_installed('onnx') and is_installed('onnxruntime')
    if not (on_cpu and fast and there):
        return 'torch'
    own = options_of('torch').keys() - options_of('onnxruntime').keys()
    return 'torch' if own & options.keys() else 'onnxruntime'


@overload
def inference_model(
    model: Segmentor,
    imgs: Image,
    *,
    logits: bool = ...,
    confidence: bool = ...,
    top_k: int = ...,
) -> SegDataSample: ...


@overload
def inference_model(
    model: Segmentor,
    imgs: list[Image] | tuple[Image, ...],
    *,
    logits: bool = ...,
    confidence: bool = ...,
    top_k: int = ...,
) -> list[SegDataSample]: ...


def inference_model(
    model: Segmentor,
    imgs: Image | list[Image] | tuple[Image, ...],
    *,
    logits: bool = False,
    confidence: bool = False,
    top_k: int = 0,
) -> SegDataSample | list[SegDataSample]:
    """Segment one image or a list of them.

    Args:
        model: from :func:`init_model`, or mmseg's.
        imgs: a path, a BGR uint8 array (H, W, 3), or a list of either. Grey, BGRA
            and 16-bit images are converted. The images of a list run one after
            another, so they may differ in size. Of a model whose test pipeline reads
            by ``LoadBands``, an array is (H, W, C) as that gives it, with all the
            bands that the network takes, of the type that it was trained on.
        logits: add ``seg_logits.data`` (K, H, W). These take many times as long as
            the label map.
        confidence: add ``confidence.data`` (1, H, W), the winner's probability.
        top_k: add the best so many classes, best first: ``top_k_labels.data`` and
            ``top_k_scores.data`` (top_k, H, W).

    Returns:
        A sample, or a list of them for a list, with ``pred_sem_seg.data`` (1, H, W),
        the label map of the image's own size, and ``classes`` and ``palette`` in its
        metainfo.

    Raises:
        ImageError: an image is missing, damaged, or smaller than 64x64 pixels.
    """
    pipeline = model.cfg.test_pipeline
    preprocess = ImagePreprocessor(pipeline, model.data_preprocessor)
    read = image_reader(pipeline)
    wanted = {'full_logits': logits, 'confidence': confidence, 'top_k': top_k}
    if isinstance(imgs, list | tuple):
        return [_infer_one(model, preprocess, read, img, wanted) for img in imgs]
    return _infer_one(model, preprocess, read, imgs, wanted)


@torch.no_grad()
def _infer_one(
    model: Segmentor,
    preprocess: ImagePreprocessor,
    read: Callable[[Image], np.ndarray],
    img: Image,
    wanted: dict[str, Any],
) -> SegDataSample:
    images, sample = preprocess(read(img))
    if isinstance(model, RuntimeSegmentor):
        result = model.segment(images, [sample], **wanted)[0]
    elif small_logits_suffice(model, [sample]):
        small = network_logits(model, images)[0]
        result = fill_sample(sample, small, images.shape[2:], **wanted)
    elif wanted['confidence'] or wanted['top_k']:
        raise ArgumentError(
            "confidence and top_k need a model with test_cfg.mode='whole' and without "
            'test_cfg.shortcuts=False: ask for logits=True and compute them from these'
        )
    else:
        result = whole_labels(model.predict(images, [sample]))[0]
    meta = getattr(model, 'dataset_meta', None) or {}
    result.set_metainfo(
        {
            'img_path': None if isinstance(img, np.ndarray) else os.fspath(img),
            'classes': meta.get('classes'),
            'palette': meta.get('palette'),
        }
    )
    return result
