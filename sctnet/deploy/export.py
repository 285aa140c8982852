"""Exporting a trained segmentor as ONNX, OpenVINO IR or a TensorRT engine."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from mmseg.models.segmentors import BaseSegmentor
from torch import Tensor

from ..compat.optional_packages import require
from ..datasets.images import MIN_SIZE
from ..errors import ArgumentError, CheckpointError, ConfigError
from ..files import temporary_folder, write_bytes
from ..prediction.predict import NEEDS_FULL_LOGITS, small_logits_suffice
from ..prediction.preprocess import swaps, value_table
from ..weights.bands import first_bands
from .metadata import KEY, Metadata, loader_of, plain_steps
from .network import Network
from .onnx_graph import ExportGraph, Normalise, to_onnx
from .runtimes import SUFFIXES, Runtime

CHECK_SIZES = ((128, 160), (96, 224))  # (height, width) of an export with a free size
# Largest difference of logits, in their standard deviations, and share of labels that
# may differ: float32 rounds differently in another order, float16 keeps 3 digits.
LIMITS = {'fp32': (1e-4, 1e-4), 'fp16': (0.1, 0.02)}

Run = Callable[[Tensor], Tensor]


class Agreement(NamedTuple):
    """How a file compares with torch on the same images."""

    labels: float  # share of pixels with the same label
    difference: float  # largest, of logits in their standard deviations; 0 of labels


def export_model(
    model: BaseSegmentor,
    path: str | os.PathLike,
    *,
    size: tuple[int, int] | None = None,
    output: str = 'logits',
    normalise: bool = False,
    precision: str = 'fp32',
) -> Agreement | None:
    """Write a segmentor as ``.onnx``, OpenVINO's ``.xml`` or TensorRT's ``.engine``.

    Args:
        model: from ``init_model(..., device='cpu', backend='torch')``.
        path: the file; its suffix says which. An ``.xml`` has a ``.bin`` beside it.
        size: fixed (height, width) of the input, and 1 image; None leaves both free.
        output: see :class:`ExportGraph`.
        normalise: let the file take BGR uint8 images (N, H, W, 3).
        precision: ``fp32``, or ``fp16`` between input and output.

    Returns:
        How the file agrees with torch; None for an engine, which is not checked.

    Raises:
        ArgumentError: a package is not installed, or an argument is out of range.
        ConfigError: a file cannot hold all that the model does.
        CheckpointError: the export computes something else; nothing is written.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    check_arguments(path, size, precision)
    metadata = describe(model, size, output, normalise, precision)
    data = build_onnx(model, metadata)
    files = {path: data}
    if path.suffix.lower() == '.engine':
        from .runtimes.on_tensorrt import build_engine, with_metadata

        plan = build_engine(data, size or (512, 1024))
        write_bytes(path, with_metadata(plan, metadata.to_json()))
        return None
    if path.suffix.lower() == '.xml':
        files = _openvino_files(path, data, precision)
    agreement = _check(model, files, metadata)
    difference, labels = LIMITS[precision]
    if not (agreement.difference <= difference and 1 - agreement.labels <= labels):
        raise CheckpointError(
            f"'{path}' would not compute what torch does (logits off by "
            f'{agreement.difference:.2g} x their standard deviation, '
            f'{agreement.labels:.2%} of labels equal): nothing was written; try '
            '--precision fp32 or another format'
        )
    for name, content in files.items():
        write_bytes(name, content)
    return agreement


def check_arguments(path: Path, size: tuple[int, int] | None, precision: str) -> None:
    """Raise ArgumentError for what cannot be exported."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ArgumentError(
            f"'{path}' has an unknown suffix: expected one of {', '.join(SUFFIXES)}"
        )
    if precision not in LIMITS:
        raise ArgumentError(
            f"precision '{precision}' is not known: expected one of {', '.join(LIMITS)}"
        )
    if size is not None and min(size) < MIN_SIZE:
        raise ArgumentError(
            f'size {size[0]}x{size[1]} (height x width) is too small: expected at '
            f'least {MIN_SIZE}x{MIN_SIZE}'
        )
    require('onnx')
    require(SUFFIXES[suffix])


def describe(
    model: BaseSegmentor,
    size: tuple[int, int] | None = None,
    output: str = 'logits',
    normalise: bool = False,
    precision: str = 'fp32',
) -> Metadata:
    """Return what a file will say of ``model``, with :func:`export_model`'s arguments.

    Raises:
        ConfigError: a file cannot hold all that the model does.
    """
    if not small_logits_suffice(model, ()):
        raise ConfigError(NEEDS_FULL_LOGITS)
    read = loader_of(model.cfg)
    if read and normalise:
        raise ConfigError(
            'images that are normalised in the file (--normalise) are pictures of 8 '
            'bits, and the test pipeline reads bands by LoadBands: leave it out, and '
            'normalise by the mean and std that the file names'
        )
    preprocessor = model.data_preprocessor
    table = value_table(preprocessor)
    if table is None or len(table) != first_bands(model.backbone):
        raise ConfigError(
            'only a SegDataPreProcessor with a mean and a std of each band, and '
            'without padding in test_cfg, can be exported: change '
            'model.data_preprocessor'
        )
    meta = model.dataset_meta or {}
    classes, palette = meta.get('classes') or (), meta.get('palette') or ()
    if len(classes) != model.num_classes:  # names of another data set
        classes, palette = [str(i) for i in range(model.num_classes)], ()
    return Metadata(
        config=Path(model.cfg.filename or '').stem,
        classes=list(classes),
        palette=[list(colour) for colour in palette],
        mean=preprocessor.get_buffer('mean').flatten().tolist(),
        std=preprocessor.get_buffer('std').flatten().tolist(),
        rgb=swaps(preprocessor),
        pipeline=plain_steps(model.cfg),
        size=None if size is None else list(size),
        images='bgr' if normalise else 'normalised',
        output=output,
        precision=precision,
        **read,
    )


def build_onnx(model: BaseSegmentor, metadata: Metadata) -> bytes:
    """Return the network as ONNX, with ``metadata`` and as it says."""
    import onnx

    size = metadata.size or CHECK_SIZES[0]
    graph = _graph(model, metadata, half=metadata.precision == 'fp16')
    images = _random_images(size, metadata)
    exported = onnx.load_from_string(
        to_onnx(graph, images, fixed=metadata.size is not None)
    )
    for node in exported.graph.node:
        node.ClearField('doc_string')  # may tell where the source code lies
    onnx.helper.set_model_props(exported, {KEY: metadata.to_json()})
    onnx.checker.check_model(exported)
    return exported.SerializeToString()


def _graph(model: BaseSegmentor, metadata: Metadata, half: bool = False) -> ExportGraph:
    normalise = None
    if metadata.images == 'bgr':
        normalise = Normalise(metadata.mean, metadata.std, metadata.rgb)
    return ExportGraph(Network(model), metadata.output, normalise, half)


def _random_images(size: Sequence[int], metadata: Metadata) -> Tensor:
    """Return a seeded image of a (height, width), of the kind that metadata name."""
    generator = torch.Generator().manual_seed(0)
    if metadata.images == 'normalised':
        return torch.randn(1, len(metadata.mean), *size, generator=generator)
    return torch.randint(256, (1, *size, 3), generator=generator, dtype=torch.uint8)


def _openvino_files(path: Path, data: bytes, precision: str) -> dict[Path, bytes]:
    import openvino

    with temporary_folder() as folder:
        name = folder / 'model.xml'
        model = openvino.Core().read_model(data)
        openvino.save_model(model, name, compress_to_fp16=precision == 'fp16')
        weights = name.with_suffix('.bin').read_bytes()
        return {path.with_suffix('.bin'): weights, path: name.read_bytes()}


def _check(
    model: BaseSegmentor, files: dict[Path, bytes], metadata: Metadata
) -> Agreement:
    """Run what will be written beside torch."""
    sizes = CHECK_SIZES if metadata.size is None else (metadata.size,)
    images = [_random_images(size, metadata) for size in sizes]
    with temporary_folder() as folder:
        for path, content in files.items():
            Path(folder, path.name).write_bytes(content)
        file = Path(folder, list(files)[-1].name)
        with Runtime(os.fspath(file), SUFFIXES[file.suffix.lower()]) as run:
            return compare(run, _graph(model, metadata), images)


@torch.no_grad()
def compare(run: Run, reference: Run, images: Sequence[Tensor]) -> Agreement:
    """Compare two functions from images to logits (N, K, h, w) or labels (N, H, W)."""
    equal, pixels, difference = 0, 0, 0.0
    for image in images:
        actual, expected = run(image), reference(image)
        if expected.ndim == 4:
            off = (actual - expected).abs().max() / expected.std()
            difference = max(difference, off.item())
            actual, expected = actual.argmax(1), expected.argmax(1)
        equal += int((actual == expected).sum())
        pixels += expected.numel()
    return Agreement(equal / pixels, difference)
