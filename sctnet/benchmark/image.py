"""The benchmark of an image in memory to its label map, by mmseg or by ours."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import mmseg.apis
import numpy as np
import torch
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor

from .. import apis
from ..datasets.street_scenes.dataset import render_street_scene
from ..deploy import runtime_segmentor
from ..deploy.int8 import quantise_model
from ..prediction import preprocess
from ..prediction.predict import small_logits_suffice
from ..prediction.preprocess import ImagePreprocessor
from .case import INT8, Case, Contender, parse_backend
from .models import bare_config, build_model, entries
from .stopwatch import Piece, Stopwatch

STAGES = ('pre-processing', 'network', 'upsampling and argmax', 'rest')
BEFORE, NETWORK, AFTER, _ = STAGES
CALIBRATION = 8  # scenes


def image_contender(case: Case, device: str) -> Contender:
    """Prepare one image, or a list of ``batch``, to label maps of their own size.

    The backend ``mmseg`` is mmseg's own ``init_model`` and ``inference_model`` around
    mmseg's own segmentor; the others are ours. All get the same weights from a file.

    Raises:
        ArgumentError: the backend is not known, not installed, or not for ``device``.
    """
    entry = entries()[case.model]
    weights, cfg = build_model(entry), bare_config(entry)
    meta = {'dataset_meta': weights.dataset_meta}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'weights.pth'
        torch.save({'state_dict': weights.state_dict(), 'meta': meta}, file)
        if case.backend == 'mmseg':
            cfg.model.type = 'EncoderDecoder'  # mmseg's own, around the same modules
            model = mmseg.apis.init_model(cfg, str(file), device)
            infer: Callable[..., Any] = mmseg.apis.inference_model
        else:
            backend, options = parse_backend(case.backend.removesuffix('+int8'))
            if case.backend == INT8:
                file = _quantised(weights, file)
            model = apis.init_model(cfg, file, device, backend=backend, **options)
            infer = apis.inference_model
    image = street_image(case.size)
    images = image if case.batch == 1 else [image] * case.batch
    results: list[Any] = []

    def call() -> None:
        results[:] = [infer(model, images)]

    def labels() -> Tensor:
        result = results[0] if case.batch == 1 else results[0][0]
        return result.pred_sem_seg.data.cpu()

    pieces = _pieces(model, ours=case.backend != 'mmseg')
    watch = Stopwatch(call, pieces, STAGES, device)
    preprocess = ImagePreprocessor(model.cfg.test_pipeline, model.data_preprocessor)
    height, width = preprocess(image)[0].shape[2:]
    return Contender(call, None, (height, width), watch, labels)


def street_image(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Draw a street scene, BGR uint8 (H, W, 3), of any size."""
    image, _ = render_street_scene(seed, 1024, 512)
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)


def _quantised(model: BaseSegmentor, weights: Path) -> Path:
    """Write the network in INT8, its ranges measured on other street scenes."""
    scenes = weights.parent / 'scenes'
    scenes.mkdir()
    for seed in range(1, 1 + CALIBRATION):
        cv2.imwrite(str(scenes / f'{seed}.png'), street_image((512, 1024), seed))
    quantise_model(model, weights.with_suffix('.onnx'), scenes)
    return weights.with_suffix('.onnx')


def _pieces(model: Any, ours: bool) -> list[Piece]:
    """Name what mmseg's ``inference_model``, or ours, goes through."""
    before = [
        Piece(mmseg.apis.inference, '_preprare_data', BEFORE),
        Piece(model.data_preprocessor, 'forward', BEFORE),
    ]
    if ours:
        before = [
            Piece(preprocess, 'read_image', BEFORE),
            Piece(preprocess, 'to_bgr', BEFORE),
            Piece(apis, 'ImagePreprocessor', BEFORE),
            Piece(ImagePreprocessor, '__call__', BEFORE),
        ]
    if isinstance(model, runtime_segmentor.RuntimeSegmentor):
        network = Piece(model, 'network_logits', NETWORK)
        return [*before, network, Piece(runtime_segmentor, 'fill_sample', AFTER)]
    if ours and small_logits_suffice(model, ()):
        network = Piece(apis, 'network_logits', NETWORK)
        return [*before, network, Piece(apis, 'fill_sample', AFTER)]
    return [
        *before,
        Piece(model, 'extract_feat', NETWORK),
        Piece(model.decode_head, 'forward', NETWORK),
        Piece(model.decode_head, 'predict_by_feat', AFTER),
        Piece(model, 'postprocess_result', AFTER),
    ]
