"""Opening what shall be segmented: an image, a folder of them, a video, a camera."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ..datasets.images import SUFFIXES, read_image
from ..errors import ImageError
from ..files import find_files
from .camera import camera_index, is_live, open_camera
from .read_video import VIDEO_SUFFIXES, open_video


class Frame(NamedTuple):
    """One image to segment: the stem of its outputs' paths and how to get it."""

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
    found: str = ''  # in words, what a folder holds


def open_source(
    path: str | os.PathLike, leave_out: str | os.PathLike | None = None
) -> Source:
    """Open an image, a folder of images, a video, or a camera by index, device or URL.

    Args:
        path: which. Of a folder all folders below are read too, hidden ones apart.
        leave_out: a folder below it that is not read, such as that of the results.

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
        return _open_folder(place, leave_out)
    if place.suffix.lower() in VIDEO_SUFFIXES:
        images, length, fps = open_video(place)
        return Source(_numbered(images, place.stem), length, 'video', place.stem, fps)
    return Source(_image_frames([place], place.parent), 1)


def _open_folder(place: Path, leave_out: str | os.PathLike | None) -> Source:
    root, out = place.resolve(), Path(leave_out or place).resolve()
    skipped = place / out.relative_to(root) if root in out.parents else None
    below = [p for p in find_files(place, '') if skipped not in p.parents]
    files = [p for p in below if p.suffix.lower() in SUFFIXES and p.is_file()]
    if not files:
        raise ImageError(
            f"folder '{place}' has no images, nor has one below it: expected files "
            f'ending in {", ".join(SUFFIXES)}'
        )
    folders, others = len({file.parent for file in files}), len(below) - len(files)
    found = f'{len(files)} images in {folders} folder{"s" * (folders > 1)}'
    found += f'; {others} other files are left out' if others else ''
    return Source(_image_frames(files, place), len(files), found=found)


def _image_frames(files: Sequence[Path], root: Path) -> Iterator[Frame]:
    names = [file.relative_to(root).as_posix() for file in files]
    stems = [os.path.splitext(name)[0] for name in names]
    count, taken = Counter(stems), set(names)
    for file, name, stem in zip(files, names, stems, strict=True):
        # a.png beside a.jpg: their outputs must not overwrite each other.
        alone = count[stem] == 1 and stem not in taken
        yield Frame(stem if alone else name, partial(read_image, file), file)


def _numbered(images: Iterator[np.ndarray], name: str) -> Iterator[Frame]:
    for count, image in enumerate(images, 1):
        yield Frame(f'{name}_{count:06d}', partial(np.asarray, image))


def _live_name(path: str | os.PathLike) -> str:
    """Return a name of its own for each recording: none can be made a second time."""
    index = camera_index(os.fspath(path))
    camera = 'stream' if index is None else f'camera_{index}'
    return f'{camera}_{time.strftime("%Y%m%d-%H%M%S")}'
