"""Inference from Python: build a model from a name, segment images with it."""

import copy
import os
import warnings
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmseg.models.segmentors import BaseSegmentor
from mmseg.registry import DATASETS, MODELS
from mmseg.structures import SegDataSample

from .catalog import load_config
from .checkpoint_files import dataset_meta_of, weights_of
from .compat import quieten_mmseg
from .errors import ArgumentError, CheckpointError, ImageError
from .images import read_image, to_bgr
from .models import SCTSegmentor
from .teacher_files import load_segmentor

Image = str | os.PathLike | np.ndarray


def init_model(
    config: str | os.PathLike | Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device | None = None,
    cfg_options: dict[str, Any] | None = None,
) -> BaseSegmentor:
    """Build a segmentor for inference, without its training-only parts.

    Args:
        config: path, leaf name (``sctnet_s_seg50_2xb8_160k_cityscapes_512x1024``),
            short name (``sctnet-s-seg50``) or mmengine ``Config``.
        checkpoint: weights as the original released them, our own, or what
            ``tools/convert_checkpoint.py`` wrote (``.pth``, ``.safetensors``); a path
            or URL. None keeps the initial weights.
        device: where it runs; None takes the GPU if there is one.
        cfg_options: dotted keys and values to change in the config.

    Returns:
        The segmentor in eval mode, with ``cfg`` and ``dataset_meta`` (``classes`` and
        ``palette``, from the checkpoint, else from the config's data set).

    Raises:
        ConfigError: there is no such config.
        CheckpointError: the file is missing, damaged, unsafe, or does not fit.
        ArgumentError: torch has no such device.
    """
    cfg = copy.deepcopy(load_config(config))
    cfg.merge_from_dict(cfg_options or {})
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model_cfg = copy.deepcopy(cfg.model)
    for training_only in ('auxiliary_head', 'siam'):
        model_cfg.pop(training_only, None)
    with warnings.catch_warnings():
        quieten_mmseg()
        model = MODELS.build(model_cfg)
    model.dataset_meta = dataset_meta_from_config(cfg)
    if checkpoint is not None:
        meta = _load_weights(model, checkpoint)
        model.dataset_meta = meta or model.dataset_meta
    model.cfg = cfg
    if device is None:
        device = 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        return model.to(device).eval()
    except (AssertionError, RuntimeError) as error:  # torch raises either
        raise ArgumentError(
            f"device '{device}' cannot be used ({str(error).splitlines()[0]}): name "
            "one that torch has, such as 'cpu'"
        ) from error


def _load_weights(
    model: BaseSegmentor, checkpoint: str | os.PathLike
) -> dict[str, Any] | None:
    """Load ``checkpoint`` strictly and return its class names and palette."""
    from mmengine.runner.checkpoint import CheckpointLoader

    name = os.fspath(checkpoint)
    if isinstance(model, SCTSegmentor):
        loaded = CheckpointLoader.load_checkpoint(name, map_location='cpu')
        try:
            model.load_state_dict(weights_of(loaded))
        except CheckpointError as error:
            raise CheckpointError(f"cannot load '{name}': {error}") from error
        meta = dataset_meta_of(loaded)
    else:
        meta = load_segmentor(model, name)
    if meta is None or len(meta['classes']) != model.num_classes:
        return None  # names that cannot be the model's
    if meta['palette'] is None:
        meta['palette'] = (model.dataset_meta or {}).get('palette')
    return meta


def dataset_meta_from_config(cfg: Config) -> dict[str, Any] | None:
    """Class names and palette of the config's test data set, or None without one."""
    dataset = cfg.get('test_dataloader', {}).get('dataset')
    while dataset is not None and 'dataset' in dataset:  # RepeatDataset and its kind
        dataset = dataset['dataset']
    if dataset is None or 'type' not in dataset:
        return None
    cls = dataset['type']
    cls = DATASETS.get(cls) if isinstance(cls, str) else cls
    meta = {**cls.METAINFO, **(dataset.get('metainfo') or {})}
    return meta if meta.get('classes') else None


@overload
def inference_model(model: BaseSegmentor, imgs: Image) -> SegDataSample: ...


@overload
def inference_model(
    model: BaseSegmentor, imgs: list[Image] | tuple[Image, ...]
) -> list[SegDataSample]: ...


def inference_model(
    model: BaseSegmentor, imgs: Image | list[Image] | tuple[Image, ...]
) -> SegDataSample | list[SegDataSample]:
    """Segment one image or a list of them.

    Args:
        model: from :func:`init_model`, or mmseg's.
        imgs: a path, a BGR uint8 array (H, W, 3), or a list of either. Grey, BGRA
            and 16-bit images are converted. The images of a list run one after
            another, so they may differ in size.

    Returns:
        A sample, or a list of them for a list, with ``pred_sem_seg.data`` (1, H, W),
        the label map of the image's own size, ``seg_logits.data`` (K, H, W), and
        ``classes`` and ``palette`` in its metainfo.

    Raises:
        ImageError: an image is missing, damaged, or smaller than 64x64 pixels.
    """
    pipeline = Compose(array_pipeline(model.cfg.test_pipeline))
    if isinstance(imgs, list | tuple):
        return [_infer_one(model, pipeline, img) for img in imgs]
    return _infer_one(model, pipeline, imgs)


def array_pipeline(test_pipeline: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``test_pipeline`` for decoded arrays: no files, no labels."""
    steps = []
    for step in copy.deepcopy(list(test_pipeline)):
        kind = step['type'] if isinstance(step['type'], str) else step['type'].__name__
        if kind == 'LoadImageFromFile':
            step = {'type': 'LoadImageFromNDArray'}
        if kind != 'LoadAnnotations':
            steps.append(step)
    return steps


def _infer_one(model: BaseSegmentor, pipeline: Compose, img: Image) -> SegDataSample:
    image = _decode(img)
    data = pipeline({'img': image})
    with torch.no_grad():
        result = model.test_step(
            {'inputs': [data['inputs']], 'data_samples': [data['data_samples']]}
        )[0]
    meta = getattr(model, 'dataset_meta', None) or {}
    result.set_metainfo(
        {
            'img_path': None if isinstance(img, np.ndarray) else os.fspath(img),
            'classes': meta.get('classes'),
            'palette': meta.get('palette'),
        }
    )
    return result


def _decode(img: Image) -> np.ndarray:
    if isinstance(img, np.ndarray):
        return to_bgr(img)
    if isinstance(img, str | os.PathLike):
        return read_image(img)
    raise ImageError(
        f'cannot segment a {type(img).__name__}: expected a path, a BGR array, or a '
        'list of them'
    )
