"""Segment an image, a folder or a video and write overlays and label maps."""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmseg.models.segmentors import BaseSegmentor

from .apis import inference_model
from .errors import ArgumentError, ImageError, OutputError
from .files import write_bytes
from .images import SUFFIXES, read_image

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


class Frame(NamedTuple):
    """One image to segment: the stem of its outputs' names and how to get it."""

    name: str
    read: Callable[[], np.ndarray]  # BGR uint8 (H, W, 3); raises ImageError


class Source(NamedTuple):
    """What an input path holds."""

    frames: Iterator[Frame]
    length: int  # 0 where a video does not tell


def open_source(path: str | os.PathLike) -> Source:
    """Open an image, a folder of images or a video.

    Raises:
        ImageError: there is nothing at ``path``, or nothing that can be segmented.
    """
    if not os.fspath(path):
        raise ImageError('the input is an empty name: name an image, folder or video')
    place = Path(path)
    if place.is_dir():
        files = sorted(
            p for p in place.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()
        )
        if not files:
            raise ImageError(
                f"folder '{place}' has no images: expected files ending in "
                f'{", ".join(SUFFIXES)}'
            )
        return Source(_image_frames(files), len(files))
    if place.suffix.lower() in VIDEO_SUFFIXES:
        return _open_video(place)
    return Source(_image_frames([place]), 1)


def _image_frames(files: Sequence[Path]) -> Iterator[Frame]:
    stems = [file.stem for file in files]
    for file in files:
        # a.png beside a.jpg: their outputs must not overwrite each other.
        name = file.name if stems.count(file.stem) > 1 else file.stem
        yield Frame(name, partial(read_image, file))


def _open_video(file: Path) -> Source:
    video = cv2.VideoCapture(os.fspath(file))
    if not file.is_file() or not video.isOpened():
        raise ImageError(
            f"video '{file}' cannot be read: check the path, or convert it to H.264 in "
            'an .mp4 file'
        )
    return Source(
        _video_frames(video, file), max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    )


def _video_frames(video: cv2.VideoCapture, file: Path) -> Iterator[Frame]:
    count = 0
    while True:
        there, image = video.read()
        if not there:
            break
        count += 1
        yield Frame(f'{file.stem}_{count:06d}', partial(_identity, image))
    video.release()
    if not count:
        raise ImageError(
            f"video '{file}' holds no frame that can be decoded: convert it to H.264 "
            'in an .mp4 file'
        )


def _identity(image: np.ndarray) -> np.ndarray:
    return image


def draw_overlay(
    image: np.ndarray,
    label_map: np.ndarray,
    palette: Sequence[Sequence[int]] | np.ndarray,
    opacity: float = 0.5,
) -> np.ndarray:
    """Blend the colours of ``label_map`` (H, W) over a BGR image (H, W, 3).

    Args:
        image: BGR uint8.
        label_map: class indices; those without a colour leave the image as it is.
        palette: RGB of each class.
        opacity: share of the colours, 0 to 1.

    Returns:
        BGR uint8 (H, W, 3).

    Raises:
        ArgumentError: ``opacity`` is out of range.
    """
    if not 0 <= opacity <= 1:
        raise ArgumentError(f'opacity is {opacity}: expected 0 to 1, such as 0.5')
    colours = np.asarray(palette, np.uint8)[:, ::-1]
    known = label_map < len(colours)
    blended = image.copy()
    blended[known] = (
        (1 - opacity) * image[known] + opacity * colours[label_map[known]]
    ).astype(np.uint8)
    return blended


def check_out_dir(source: str | os.PathLike, out_dir: Path) -> None:
    """Refuse to write into the folder that is read: its images could be overwritten.

    Raises:
        OutputError: ``out_dir`` is the folder ``source``.
    """
    if Path(source).is_dir() and Path(source).resolve() == out_dir.resolve():
        raise OutputError(
            f"'{out_dir}' is the folder of the input: name another one with --out-dir"
        )


def segment_to_files(
    model: BaseSegmentor, frame: Frame, out_dir: Path, opacity: float = 0.5
) -> list[Path]:
    """Segment one frame; write its overlay and its label map (class index a pixel).

    Returns:
        ``<name>_overlay.png`` and ``<name>_labels.png`` in ``out_dir``.

    Raises:
        ImageError: the frame cannot be read.
        OutputError: ``out_dir`` cannot be written.
    """
    image = frame.read()
    result = inference_model(model, image)
    labels = result.pred_sem_seg.data[0].cpu().numpy()
    labels = labels.astype(np.uint8 if labels.max() < 256 else np.uint16)
    palette = result.metainfo.get('palette') or _fallback_palette(model.num_classes)
    paths = []
    overlay = draw_overlay(image, labels, palette, opacity)
    for kind, picture in (('overlay', overlay), ('labels', labels)):
        path = out_dir / f'{frame.name}_{kind}.png'
        write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())
        paths.append(path)
    return paths


def _fallback_palette(num_classes: int) -> np.ndarray:
    """Seeded colours for a model that knows no palette."""
    return np.random.default_rng(0).integers(0, 256, (num_classes, 3))
