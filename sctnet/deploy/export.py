"""Writing a trained segmentor as a file for a runtime, checked against torch."""

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
from ..prediction.preprocess import value_table
from .metadata import KEY, Metadata, plain_steps
from .network import TOLERANCE, Network, deploy_graph
from .runtimes import SUFFIXES, build_runtime
from .to_onnx import ExportGraph, Normalise, Output, to_onnx

CHECK_SIZES = ((128, 160), (96, 224))  # (height, width) of an export with a free size
# Largest difference of logits, in their standard deviations, and share of labels that
# may differ: float32 rounds differently in another order, float16 keeps 3 digits.
LIMITS = {'fp32': (TOLERANCE, 1e-4), 'fp16': (0.1, 0.02)}

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
    output: Output = 'logits',
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
    check_model(model)
    data = build_onnx(model, size, output, normalise, precision)
    if path.suffix == '.engine':
        from .runtimes.on_tensorrt import build_engine, with_metadata

        plan = build_engine(data, size or (512, 1024))
        write_bytes(path, with_metadata(plan, read_text(data)))
        return None
    files = {path: data}
    if path.suffix == '.xml':
        files = _openvino_files(path, data, precision)
    agreement = _check(model, files, size, output, normalise)
    _refuse(agreement, precision, path)
    for name, content in files.items():
        write_bytes(name, content)
    return agreement


def check_arguments(path: Path, size: tuple[int, int] | None, precision: str) -> None:
    """Raise ArgumentError for what cannot be exported."""
    if path.suffix not in SUFFIXES:
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
    require(SUFFIXES[path.suffix])
    if path.suffix == '.onnx':
        require('onnxruntime')


def check_model(model: BaseSegmentor) -> None:
    """Raise ConfigError if a file cannot hold all that ``model`` does."""
    if not small_logits_suffice(model, ()):
        raise ConfigError(NEEDS_FULL_LOGITS)
    if value_table(model.data_preprocessor) is None:
        raise ConfigError(
            'only a SegDataPreProcessor with mean and std of three channels, and '
            'without padding in test_cfg, can be exported: change '
            'model.data_preprocessor'
        )


def build_onnx(
    model: BaseSegmentor,
    size: tuple[int, int] | None,
    output: Output,
    normalise: bool,
    precision: str,
) -> bytes:
    """Return the deploy graph as ONNX with its metadata; see :func:`export_model`."""
    import onnx

    network = Network(deploy_graph(model))
    graph = ExportGraph(
        network, output, _normalise(model, normalise), precision == 'fp16'
    )
    images = random_images((size or CHECK_SIZES[0]), normalise)
    exported = onnx.load_from_string(to_onnx(graph, images, fixed=size is not None))
    for node in exported.graph.node:
        node.ClearField('doc_string')  # may tell where the source code lies
    metadata = _describe(model, size, output, normalise, precision)
    onnx.helper.set_model_props(exported, {KEY: metadata.to_json()})
    onnx.checker.check_model(exported)
    return exported.SerializeToString()


def read_text(data: bytes) -> str:
    """Return the metadata, as text, of a model that :func:`build_onnx` made."""
    import onnx

    properties = onnx.load_from_string(data).metadata_props
    return next(one.value for one in properties if one.key == KEY)


def _describe(
    model: BaseSegmentor,
    size: tuple[int, int] | None,
    output: str,
    normalise: bool,
    precision: str,
) -> Metadata:
    meta = model.dataset_meta or {}
    classes, palette = meta.get('classes') or (), meta.get('palette') or ()
    if len(classes) != model.num_classes:  # names of another data set
        classes, palette = [str(i) for i in range(model.num_classes)], ()
    mean, std, rgb = _normalisation(model)
    return Metadata(
        config=Path(model.cfg.filename or '').stem,
        classes=list(classes),
        palette=[list(colour) for colour in palette],
        mean=mean,
        std=std,
        rgb=rgb,
        pipeline=plain_steps(model.cfg),
        size=None if size is None else list(size),
        images='bgr' if normalise else 'normalised',
        output=output,
        precision=precision,
    )


def _normalisation(model: BaseSegmentor) -> tuple[list[float], list[float], bool]:
    preprocessor = model.data_preprocessor
    mean, std = (preprocessor.get_buffer(x).flatten() for x in ('mean', 'std'))
    return mean.tolist(), std.tolist(), bool(preprocessor.channel_conversion)


def _normalise(model: BaseSegmentor, wanted: bool) -> Normalise | None:
    return Normalise(*_normalisation(model)) if wanted else None


def random_images(size: tuple[int, int], normalise: bool) -> Tensor:
    """Return a seeded image of the kind that the graph takes."""
    generator = torch.Generator().manual_seed(0)
    if not normalise:
        return torch.randn(1, 3, *size, generator=generator)
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
    model: BaseSegmentor,
    files: dict[Path, bytes],
    size: tuple[int, int] | None,
    output: Output,
    normalise: bool,
) -> Agreement:
    """Run what will be written beside torch, which keeps its norms."""
    network = Network(deploy_graph(model, fold=False))
    reference = ExportGraph(network, output, _normalise(model, normalise))
    with temporary_folder() as folder:
        for path, content in files.items():
            Path(folder, path.name).write_bytes(content)
        file = os.fspath(Path(folder, list(files)[-1].name))
        run = build_runtime(file, SUFFIXES[Path(file).suffix])
        sizes = CHECK_SIZES if size is None else (size,)
        return compare(run, reference, [random_images(s, normalise) for s in sizes])


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


def _refuse(agreement: Agreement, precision: str, path: Path) -> None:
    difference, labels = LIMITS[precision]
    if not (agreement.difference <= difference and 1 - agreement.labels <= labels):
        raise CheckpointError(
            f"'{path}' would not compute what torch does (logits off by "
            f'{agreement.difference:.2g} x their standard deviation, '
            f'{agreement.labels:.2%} of labels equal): nothing was written; try '
            '--precision fp32 or another format'
        )
