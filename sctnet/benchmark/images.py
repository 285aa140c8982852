"""The second kind of contender: an image in memory to its label map."""

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import mmseg.apis
import numpy as np
import torch
from mmengine.config import Config
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor

from .. import apis
from ..datasets.street_scenes.dataset import render_street_scene
from ..deploy import runtime_segmentor
from ..deploy.int8 import quantise_model
from ..prediction.predict import small_logits_suffice
from ..prediction.preprocess import ImagePreprocessor
from .cases import INT8, Case, Contender, build_network, parse_backend
from .peers import Entry, bare_config, build_model, entries
from .stages import STAGES, Piece, Stopwatch

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
    with tempfile.TemporaryDirectory() as folder:
        file = _save_weights(entry, Path(folder))
        if case.backend == 'mmseg':
            model = mmseg.apis.init_model(_mmseg_config(entry), str(file), device)
            infer: Callable[..., Any] = mmseg.apis.inference_model
            pieces = _mmseg_pieces(model)
        else:
            backend, options = parse_backend(case.backend.removesuffix('+int8'))
            if case.backend == INT8:
                file = _quantised(entry, file)
            model = apis.init_model(
                bare_config(entry), file, device, backend=backend, **options
            )
            infer, pieces = apis.inference_model, _our_pieces(model)
    image = street_image(case.size)
    images = image if case.batch == 1 else [image] * case.batch
    results: list[Any] = []

    def call() -> None:
        results[:] = [infer(model, images)]

    def labels() -> Tensor:
        result = results[0] if case.batch == 1 else results[0][0]
        return result.pred_sem_seg.data.cpu()

    wait = torch.cuda.synchronize if device.startswith('cuda') else lambda: None
    stopwatch = Stopwatch(call, pieces, wait)
    network = build_network(case.model, case.norms)
    return Contender(stopwatch, network, _input_size(model, image), stopwatch, labels)


def street_image(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Draw a street scene, BGR uint8 (H, W, 3), of any size."""
    image, _ = render_street_scene(seed, 1024, 512)
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)


def _quantised(entry: Entry, weights: Path) -> Path:
    """Write the network in INT8, its ranges measured on other street scenes."""
    scenes = weights.parent / 'scenes'
    scenes.mkdir()
    for seed in range(1, 1 + CALIBRATION):
        cv2.imwrite(str(scenes / f'{seed}.png'), street_image((512, 1024), seed))
    model = apis.init_model(bare_config(entry), weights, 'cpu', backend='torch')
    quantise_model(model, weights.with_suffix('.onnx'), scenes)
    return weights.with_suffix('.onnx')


def _save_weights(entry: Entry, folder: Path) -> Path:
    model = build_model(entry)
    file = folder / 'weights.pth'
    meta = {'dataset_meta': model.dataset_meta}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, file)
    return file


def _mmseg_config(entry: Entry) -> Config:
    """Return the config with mmseg's own segmentor around the modules."""
    cfg = copy.deepcopy(bare_config(entry))
    cfg.model.type = 'EncoderDecoder'
    return cfg


def _mmseg_pieces(model: BaseSegmentor) -> list[Piece]:
    """Name what mmseg's ``inference_model`` goes through."""
    return [
        Piece(mmseg.apis.inference, '_preprare_data', BEFORE),
        Piece(model.data_preprocessor, 'forward', BEFORE),
        *_predict_pieces(model),
    ]


def _predict_pieces(model: BaseSegmentor) -> list[Piece]:
    return [
        Piece(model, 'extract_feat', NETWORK),
        Piece(model.decode_head, 'forward', NETWORK),
        Piece(model.decode_head, 'predict_by_feat', AFTER),
        Piece(model, 'postprocess_result', AFTER),
    ]


def _our_pieces(model: apis.Segmentor) -> list[Piece]:
    """Name what our ``inference_model`` goes through."""
    before = [
        Piece(apis, '_decode', BEFORE),
        Piece(apis, 'ImagePreprocessor', BEFORE),
        Piece(ImagePreprocessor, '__call__', BEFORE),
    ]
    if isinstance(model, runtime_segmentor.RuntimeSegmentor):
        network = Piece(model, 'network_logits', NETWORK)
        return [*before, network, Piece(runtime_segmentor, 'fill_sample', AFTER)]
    if not small_logits_suffice(model, ()):
        return [*before, *_predict_pieces(model)]
    network = Piece(apis, 'network_logits', NETWORK)
    return [*before, network, Piece(apis, 'fill_sample', AFTER)]


def _input_size(model: apis.Segmentor, image: np.ndarray) -> tuple[int, int]:
    preprocess = ImagePreprocessor(model.cfg.test_pipeline, model.data_preprocessor)
    height, width = preprocess(image)[0].shape[2:]
    return height, width
