"""Opening what shall be segmented: an image, a folder of them, a video, a camera."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..datasets.images import SUFFIXES, read_image
from ..errors import ImageError
from .camera import camera_index, is_live, open_camera
from .read_video import VIDEO_SUFFIXES, open_video


class Frame(NamedTuple):
    """One image to segment: the stem of its outputs' names and how to get it."""

    name: str
    read: Callable[[], np.ndarray]  # BGR uint8 (H, W, 3); raises ImageError
    path: Path | None = None  # of an image


class Source(NamedTuple):
    """What an input holds."""

    frames: Iterator[Frame]
    length: int  # 0 where a video does not tell, and of a camera
    kind: Literal['images', 'video', 'camera'] = 'images'
    name: str = ''  # stem of a video's output
    fps: float | None = None  # of a video file


def open_source(path: str | os.PathLike) -> Source:
    """Open an image, a folder of images, a video, or a camera by index, device or URL.

    Raises:
        ImageError: there is nothing at ``path``, or nothing that can be segmented.
    """
    if not os.fspath(path):
        raise ImageError('the input is an empty name: name an image, folder or video')
    place = Path(path)
    if is_live(os.fspath(path)):
        name, images = _live_name(path), open_camera(os.fspath(path))
        return Source(_numbered(images, name), 0, 'camera', name)
    if os.path.isdir(place):
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
        images, length, fps = open_video(place)
        return Source(_numbered(images, place.stem), length, 'video', place.stem, fps)
    return Source(_image_frames([place]), 1)


def _image_frames(files: Sequence[Path]) -> Iterator[Frame]:
    stems = [file.stem for file in files]
    for file in files:
        # a.png beside a.jpg: their outputs must not overwrite each other.
        name = file.name if stems.count(file.stem) > 1 else file.stem
        yield Frame(name, partial(read_image, file), file)


def _numbered(images: Iterator[np.ndarray], name: str) -> Iterator[Frame]:
    for count, image in enumerate(images, 1):
        yield Frame(f'{name}_{count:06d}', partial(np.asarray, image))


def _live_name(path: str | os.PathLike) -> str:
    """Return a name of its own for each recording: none can be made a second time."""
    index = camera_index(os.fspath(path))
    camera = 'stream' if index is None else f'camera_{index}'
    return f'{camera}_{time.strftime("%Y%m%d-%H%M%S")}'
