"""What the page does, without the page: weights, models, images in, label maps out."""

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sctnet.apis import Segmentor, inference_model, init_model
from sctnet.catalog import short_names
from sctnet.compat.optional_packages import is_installed
from sctnet.datasets.street_scenes import render_street_scene
from sctnet.deploy.runtimes import BACKENDS, is_exported
from sctnet.errors import ArgumentError
from sctnet.prediction.predict import network_logits
from sctnet.prediction.preprocess import ImagePreprocessor
from sctnet.streams.open_input import open_source
from sctnet.streams.pipeline import StreamReport
from sctnet.streams.segment import (
    Outputs,
    Segmented,
    refuse_bands,
    result_path,
    segment,
    segment_source,
)

DEFAULT_MODEL = 'sctnet-t-streets'
KEPT_MODELS = 3  # in memory; the one longest unused goes first


class Choice(NamedTuple):
    """What the page's controls say."""

    model: str  # name or path of a config
    backend: str
    upload: str | None = None  # path of an uploaded weight file


class Result(NamedTuple):
    """An image, what the network made of it, and how long that took."""

    image: np.ndarray  # BGR uint8 (H, W, 3)
    labels: np.ndarray  # (H, W), a class index each
    classes: tuple[str, ...]
    palette: np.ndarray  # RGB uint8 (K, 3)
    milliseconds: float  # from the decoded image to its label map
    seeded: bool  # whether the weights are random


def student_names() -> list[str]:
    """Short names of the SCTNet students."""
    return sorted(name for name in short_names() if name.startswith('sctnet-'))


def backend_names() -> list[str]:
    """Backends whose package is installed, the fastest on a CPU first."""
    needs = {'onnxruntime': ('onnx', 'onnxruntime')}
    there = [
        name for name in BACKENDS if all(map(is_installed, needs.get(name, (name,))))
    ]
    return sorted(there, key=lambda name: name != 'onnxruntime')


class Session:
    """Models by choice, loaded when first needed.

    Args:
        folder: where seeded weights are written.
        model: the config that ``checkpoint`` is for.
        checkpoint: a weight file given on the command line.
        seeded: take seeded random weights where no file is given.
        device: where everything runs; None takes the GPU if there is one.
    """

    def __init__(
        self,
        folder: Path,
        model: str = DEFAULT_MODEL,
        checkpoint: str | os.PathLike | None = None,
        seeded: bool = False,
        device: str | None = None,
    ) -> None:
        self.device = device
        self._folder = folder
        self._given = (model, checkpoint)
        self._seeded = seeded
        self._models: OrderedDict[tuple[str, str, str], Segmentor] = OrderedDict()
        self._warm: set[tuple[int, tuple[int, ...]]] = set()

    def weights_note(self) -> str:
        """Which weights a model gets without an uploaded file."""
        model, checkpoint = self._given
        others = 'random weights' if self._seeded else 'the file chosen below'
        if checkpoint is None:
            return f'runs with {others}'
        return f'{model} runs with {Path(checkpoint).name}, another with {others}'

    def is_seeded(self, choice: Choice) -> bool:
        """Whether ``choice`` gets random weights."""
        return self._seeded and self._file(choice) is None

    def model(self, choice: Choice) -> Segmentor:
        """Return the model of ``choice``, from memory if it was used lately.

        Raises:
            SCTNetError: there are no weights for it, they do not fit, or the backend
                cannot run it; or they take bands, not pictures.
        """
        weights = self._weights(choice)
        key = (choice.model, weights, choice.backend)
        if key not in self._models:
            # An exported file brings its own classes, sizes and normalisation.
            config = weights if is_exported(weights) else choice.model
            model = init_model(config, weights, self.device, backend=choice.backend)
            refuse_bands(model)
            self._models[key] = model
            while len(self._models) > KEPT_MODELS:
                _, old = self._models.popitem(last=False)
                # Another model may get the same id.
                self._warm = {seen for seen in self._warm if seen[0] != id(old)}
        self._models.move_to_end(key)
        return self._models[key]

    def segment(self, choice: Choice, image: np.ndarray) -> Result:
        """Segment a BGR image (H, W, 3).

        The first image of a size is segmented twice and the second run is timed: in
        the first one runtimes set themselves up.

        Raises:
            SCTNetError: see :meth:`model`; or the image is smaller than 64x64 pixels.
        """
        model = self.model(choice)
        seen = (id(model), image.shape[:2])
        if seen not in self._warm:
            inference_model(model, image)
            self._warm.add(seen)
        start = time.perf_counter()
        done = segment(model, 'image', image)
        seconds = time.perf_counter() - start
        return _result(model, done, seconds, self.is_seeded(choice))

    def _file(self, choice: Choice) -> str | None:
        """The weight file of ``choice``: an uploaded one, or the command line's."""
        if choice.upload:
            return choice.upload
        model, checkpoint = self._given
        if checkpoint is not None and choice.model == model:
            return os.fspath(checkpoint)
        return None

    def _weights(self, choice: Choice) -> str:
        file = self._file(choice)
        if file is not None:
            return file
        if not self._seeded:
            raise ArgumentError(
                f"there are no weights for '{choice.model}': choose a weight file "
                '(.pth, .safetensors or .onnx), or start the page with --seeded'
            )
        path = self._folder / f'seeded_{Path(choice.model).stem}.pth'
        if not path.exists():
            write_seeded(choice.model, path)
        return os.fspath(path)


def write_seeded(config: str, path: Path) -> None:
    """Write seeded random weights of ``config``, which mean nothing.

    Plain random weights give one class for almost all pixels: the classifier is scaled
    so that every class wins somewhere in a street scene.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = init_model(config, device='cpu', backend='torch')
    preprocess = ImagePreprocessor(model.cfg.test_pipeline, model.data_preprocessor)
    with torch.no_grad():
        images, _ = preprocess(render_street_scene(0, 512, 256)[0])
        logits = network_logits(model, images)[0].flatten(1)
        scale, classify = 1 / logits.std(1), model.decode_head.conv_seg
        classify.weight *= scale[:, None, None, None]
        classify.bias.copy_((classify.bias - logits.mean(1)) * scale)
    torch.save({'meta': {}, 'state_dict': model.state_dict()}, path)


def _result(model: Segmentor, done: Segmented, seconds: float, seeded: bool) -> Result:
    meta = model.dataset_meta or {}
    classes = meta.get('classes') or [f'class {i}' for i in range(model.num_classes)]
    palette = np.asarray(done.palette, np.uint8).reshape(-1, 3)
    return Result(
        *(done.image, done.labels, tuple(map(str, classes)), palette),
        *(1000 * seconds, seeded),
    )


def segment_video(
    model: Segmentor,
    video: Path,
    out_dir: Path,
    opacity: float,
    max_frames: int | None,
    on_frame: Callable[[int, int], object],
) -> tuple[Path, str]:
    """Write a video with the overlay of each frame, as browsers play it (VP8 in WebM).

    Args:
        model: from :meth:`Session.model`.
        video: the file.
        out_dir: folder of the result.
        opacity: of the overlay, 0 to 1.
        max_frames: end after so many; None takes all.
        on_frame: called with the frames done and their total, 0 where the file does
            not tell; what it returns ends the video if it is true.

    Returns:
        The written file, and a line on its frames and speed.

    Raises:
        ImageError: the video cannot be read.
        OutputError: the disk is full.
    """
    outputs = Outputs(out_dir, opacity, max_frames=max_frames, video_suffix='.webm')
    source = open_source(video)
    total = min(max_frames or source.length, source.length or max_frames or 0)
    report = StreamReport()

    segment_source(
        *(model, source, outputs, report),
        lambda: on_frame(report.segmented, total),
    )
    return result_path(source, out_dir, '.webm'), (
        f'{report.written} frames at {report.speed()}'
    )
