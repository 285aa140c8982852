"""Segmenting a source while it is read, and writing overlays and label maps."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmseg.models.segmentors import BaseSegmentor

from ..apis import inference_model
from ..datasets.bands import read_picture
from ..datasets.overlay import check_opacity, distinct_colours, draw_overlay
from ..errors import ArgumentError, ConfigError, ImageError, OutputError
from ..files import check_writable, write_bytes
from ..models.heads import label_count
from ..prediction.preprocess import image_reader, reads_bands
from .open_input import Frame, Source
from .pipeline import Pipeline, StreamReport
from .preview_window import Window
from .write_video import CODECS, VideoWriter, write_video


class Segmented(NamedTuple):
    """An image and what the network made of it."""

    name: str
    image: np.ndarray  # BGR uint8 (H, W, 3)
    labels: np.ndarray  # uint8 (H, W), uint16 from 256 classes on
    palette: Sequence[Sequence[int]] | np.ndarray  # RGB of each class


@dataclass
class Outputs:
    """What to make of a source.

    Args:
        out_dir: folder of the results.
        opacity: share of the colours in an overlay, 0 to 1.
        save_labels: write label maps of videos and cameras too; of images they always
            are.
        fps: frame rate of the video; None takes the source's, and measures a camera's.
        show: show the overlays in a window; it can end the stream.
        max_frames: end after so many frames.
        video_suffix: ``.mp4``, or ``.webm``, which browsers play.

    Raises:
        ArgumentError: a value is out of its range.
    """

    out_dir: Path
    opacity: float = 0.5
    save_labels: bool = False
    fps: float | None = None
    show: bool = False
    max_frames: int | None = None
    video_suffix: str = '.mp4'

    def __post_init__(self) -> None:
        check_opacity(self.opacity)
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise ArgumentError(
                f'fps is {self.fps:g}: expected more than 0, at most 1000, such as 25'
            )
        if self.max_frames is not None and self.max_frames < 1:
            raise ArgumentError(f'max_frames is {self.max_frames}: expected 1 or more')
        if self.video_suffix not in CODECS:
            raise ArgumentError(
                f"video_suffix is '{self.video_suffix}': expected one of "
                f'{", ".join(CODECS)}'
            )


def check_out_dir(source: str | os.PathLike, out_dir: Path) -> None:
    """Make ``out_dir``, which is not the folder that is read: images could be replaced.

    Raises:
        OutputError: ``out_dir`` is the folder ``source``, or cannot be written.
    """
    if os.path.isdir(source) and Path(source).resolve() == out_dir.resolve():
        raise OutputError(
            f"'{out_dir}' is the folder of the input: name another one with --out-dir"
        )
    check_writable(out_dir, '--out-dir')


def refuse_bands(model: BaseSegmentor) -> None:
    """Raise ConfigError for a model that takes bands, of which there are no videos."""
    config = getattr(model, 'cfg', None) or {}
    if reads_bands(config.get('test_pipeline')):
        raise ConfigError(
            'videos, cameras and uploads are of 8-bit colours, and the test pipeline '
            'of this model reads bands by LoadBands: give its files, or a folder of '
            'them, to sctnet infer'
        )


def _reader(model: BaseSegmentor, source: Source) -> Callable[[Frame], tuple]:
    """Return what makes of a frame the arguments of :func:`segment`."""
    steps = (getattr(model, 'cfg', None) or {}).get('test_pipeline') or ()
    if not reads_bands(steps):
        return lambda frame: (frame.name, frame.read())
    if source.kind != 'images':
        refuse_bands(model)
    read = image_reader(steps)

    def read_both(frame: Frame) -> tuple:
        path = frame.path or ''
        return frame.name, read(path), read_picture(path)

    return read_both


def segment(
    model: BaseSegmentor,
    name: str,
    image: np.ndarray,
    shown: np.ndarray | None = None,
) -> Segmented:
    """Segment an image as ``inference_model`` takes it.

    Args:
        model: from :func:`sctnet.apis.init_model`.
        name: stem of its outputs.
        image: BGR (H, W, 3), or bands.
        shown: what to draw on, BGR uint8 (H, W, 3); None takes ``image``.

    Raises:
        ImageError: it is smaller than 64x64 pixels, or lacks bands.
    """
    result = inference_model(model, image)
    labels = result.pred_sem_seg.data[0]
    classes = label_count(model)
    kind = torch.uint8 if classes <= 256 else torch.uint16
    palette = result.metainfo.get('palette') or distinct_colours(classes)
    # Narrowed where the network ran: an eighth of the bytes leave a GPU.
    shown = image if shown is None else shown
    return Segmented(name, shown, labels.to(kind).cpu().numpy(), palette)


def _write(outputs: Outputs, video: VideoWriter | None, done: Segmented) -> np.ndarray:
    """Draw and write what was segmented; return the overlay."""
    overlay = draw_overlay(done.image, done.labels, done.palette, outputs.opacity)
    if video is not None:
        video.write(overlay)
    else:
        _write_png(outputs.out_dir / f'{done.name}_overlay.png', overlay)
    if video is None or outputs.save_labels:
        _write_png(outputs.out_dir / f'{done.name}_labels.png', done.labels)
    return overlay


def _write_png(path: Path, picture: np.ndarray) -> None:
    write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())


def segment_source(
    model: BaseSegmentor,
    source: Source,
    outputs: Outputs,
    report: StreamReport | None = None,
    on_frame: Callable[[], object] = lambda: None,
) -> StreamReport:
    """Segment a source while it is read and results are written.

    An image gives ``<name>_overlay.png`` and ``<name>_labels.png`` (class index a
    pixel); a video, all frames of it, gives ``<name>_overlay.mp4`` (or ``.webm``), and
    so does a camera, each time the newest frame.

    Args:
        model: from :func:`sctnet.apis.init_model`.
        source: what to segment; it can be used once.
        report: is kept up to date; None makes a new one.
        on_frame: called in this thread after each frame of the network; what it
            returns ends the stream if it is true.

    Returns:
        ``report``; its ``skipped`` names the bad images of a folder.

    Raises:
        ImageError: the only image, a video or a camera cannot be read.
        OutputError: ``outputs.out_dir`` cannot be written, or there is no window.
        ConfigError: the model takes bands, and this is a video or a camera.
        KeyboardInterrupt: this, as any error, leaves a video of what was written.
    """
    read = _reader(model, source)
    window_context = Window() if outputs.show else nullcontext()
    video_context: AbstractContextManager[VideoWriter | None] = nullcontext()
    if source.kind != 'images':
        path = result_path(source, outputs.out_dir, outputs.video_suffix)
        video_context = write_video(path, outputs.fps or source.fps)
    with window_context as window, video_context as video:
        latest: np.ndarray | None = None  # the overlay that a window shows

        def write(done: Segmented) -> None:
            nonlocal latest
            latest = _write(outputs, video, done)

        def step() -> bool:
            ended = bool(on_frame())
            return ended or (window is not None and window.show(latest))

        pipeline = Pipeline(
            source.frames,
            read,
            lambda named: segment(model, *named),
            write,
            newest=source.kind == 'camera',
            limit=outputs.max_frames,
            # An image on its own, and a video's frames, fail for all there is.
            skip=ImageError if source.kind == 'images' and source.length > 1 else (),
            report=report,
        )
        pipeline.run(step)
        step()
        if window is not None and source.kind == 'images':
            window.hold()
        return pipeline.report


def result_path(source: Source, out_dir: Path, video_suffix: str = '.mp4') -> Path:
    """Where the results of ``source`` are: a video's file, the folder of images."""
    if source.kind == 'images':
        return out_dir
    return out_dir / f'{source.name}_overlay{video_suffix}'
