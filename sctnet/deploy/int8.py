"""Exporting in INT8: ranges measured on images, by ONNX Runtime (post-training)."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor

from ..datasets.images import SUFFIXES
from ..errors import ArgumentError, ImageError
from ..files import temporary_folder, write_bytes
from ..prediction.preprocess import ImagePreprocessor, image_reader
from .export import Agreement, build_onnx, check_arguments, compare, describe
from .metadata import KEY, Metadata
from .network import Network
from .onnx_graph import ExportGraph
from .runtimes import Runtime

# What is compared is not what the ranges were measured on: every fourth image.
HELD_OUT = 4


def quantise_model(
    model: BaseSegmentor,
    path: str | os.PathLike,
    images: str | os.PathLike,
    limit: int = 64,
) -> Agreement:
    """Write a segmentor as ``.onnx`` whose convolutions run in INT8.

    The ranges of activations are measured on a folder of images like those that it will
    see; weights get a range for each channel. Three of four images are measured, the
    fourth is compared with float32.

    Args:
        model: from ``init_model(..., device='cpu', backend='torch')``.
        path: the ``.onnx`` file.
        images: a folder of at least four images; the model's test pipeline is used.
        limit: take at most so many of them, evenly.

    Returns:
        The agreement with float32, on the images that were not measured.

    Raises:
        ArgumentError: a package is not installed, or ``path`` is no ``.onnx``.
        ImageError: the folder has too few images, or one cannot be read.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    check_arguments(path, None, 'fp32')
    metadata = describe(model, precision='int8')
    if path.suffix.lower() != '.onnx':
        raise ArgumentError(
            f"'{path}': INT8 is written as .onnx alone; name such a file"
        )
    files = _pick(Path(images), limit)
    pipeline = model.cfg.test_pipeline
    read = image_reader(pipeline)
    preprocess = ImagePreprocessor(pipeline, model.data_preprocessor)
    measured = [file for i, file in enumerate(files) if i % HELD_OUT]
    held_out = [preprocess(read(file))[0] for file in files[::HELD_OUT]]
    data = _quantise(
        build_onnx(model, metadata),
        (preprocess(read(file))[0] for file in measured),
        metadata,
    )
    with Runtime(data, 'onnxruntime') as run:
        agreement = compare(run, ExportGraph(Network(model)), held_out)
    write_bytes(path, data)
    return agreement


def _pick(folder: Path, limit: int) -> Sequence[Path]:
    if not os.path.isdir(folder):
        raise ImageError(f"'{folder}' is no folder: name one with images to measure on")
    files = sorted(p for p in folder.rglob('*') if p.suffix.lower() in SUFFIXES)
    if len(files) < HELD_OUT:
        raise ImageError(
            f"folder '{folder}' has {len(files)} images: expected at least {HELD_OUT}, "
            'better 50, like those the model will see'
        )
    chosen = np.linspace(0, len(files) - 1, min(limit, len(files)))
    return [files[round(i)] for i in chosen]


def _quantise(data: bytes, images: Iterator[Tensor], metadata: Metadata) -> bytes:
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict | None:
            image = next(images, None)
            return None if image is None else {'images': image.numpy()}

    with temporary_folder() as folder:
        source, prepared, target = (
            os.path.join(folder, f'{name}.onnx') for name in ('in', 'prepared', 'out')
        )
        Path(source).write_bytes(data)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            per_channel=True,
            reduce_range=True,  # AVX2 adds pairs of products in 16 bits
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        model = onnx.load(target)
    onnx.helper.set_model_props(model, {KEY: metadata.to_json()})
    return model.SerializeToString()
