"""Writing pictures as a video file."""

import os
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from ..errors import OutputError
from ..files import atomic_path
from .read_video import DEFAULT_FPS

MEASURED_FRAMES = 10
# OpenCV's writer says nothing of a full disk and leaves a file that cannot be played.
SPARE_BYTES = 32 * 2**20
# Of those that OpenCV's wheels can write, browsers play VP8 alone.
CODECS = {'.mp4': 'mp4v', '.webm': 'VP80'}


class VideoWriter:
    """Writes pictures as a video; use it through :func:`write_video`.

    Args:
        path: an ``.mp4`` file (MPEG-4), or a ``.webm`` file (VP8) for browsers.
        fps: frames a second; None measures the rate at which the first ten pictures
            come, so that a camera's video plays as fast as it was seen.
    """

    def __init__(self, path: Path, fps: float | None) -> None:
        self.count = 0
        self._path = path
        self._fps = fps
        self._size = (0, 0)
        self._writer: cv2.VideoWriter | None = None
        self._waiting: list[tuple[float, np.ndarray]] = []

    def write(self, picture: np.ndarray) -> None:
        """Append a BGR uint8 picture (H, W, 3); the first one sets the video's size.

        The format takes even sizes: an odd last row or column is cut off. Pictures of
        another size are scaled.

        Raises:
            OutputError: OpenCV cannot write the video, or the disk is almost full.
        """
        if self._writer is not None:
            self._append(picture)
            return
        self._waiting.append((time.perf_counter(), picture))
        if self._fps is not None or len(self._waiting) == MEASURED_FRAMES:
            self._open()

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: what is on the disk cannot be played.
        """
        if self._waiting:
            self._open()
        if self._writer is None:
            return
        self._writer.release()
        video = cv2.VideoCapture(os.fspath(self._path))
        playable = video.isOpened() and video.grab()
        video.release()
        if not playable:
            raise OutputError(
                f"the video in '{self._path.parent}' could not be finished: choose a "
                'folder with space left'
            )

    def _open(self) -> None:
        waiting, self._waiting = self._waiting, []
        fps = self._fps or _rate([moment for moment, _ in waiting])
        height, width = waiting[0][1].shape[:2]
        self._size = (width, height)
        codec = cv2.VideoWriter.fourcc(*CODECS[self._path.suffix])
        self._writer = cv2.VideoWriter(os.fspath(self._path), codec, fps, self._size)
        if not self._writer.isOpened():
            self._writer = None
            raise OutputError(
                f'OpenCV cannot write a {width}x{height} {self._path.suffix} video at '
                f'{fps:g} FPS: expected at most 8191 pixels a side and an OpenCV with '
                'FFmpeg (pip install opencv-python)'
            )
        for _, picture in waiting:
            self._append(picture)

    def _append(self, picture: np.ndarray) -> None:
        if shutil.disk_usage(self._path.parent).free < SPARE_BYTES:
            raise OutputError(
                f"the disk of '{self._path.parent}' is almost full; the video ends "
                f'after {self.count} frames: choose a folder with space left'
            )
        if picture.shape[1::-1] != self._size:
            picture = cv2.resize(picture, self._size)
        assert self._writer is not None
        self._writer.write(picture)
        self.count += 1


def _rate(moments: list[float]) -> float:
    """Frames a second of pictures that came at ``moments`` (seconds)."""
    if len(moments) < 2:
        return DEFAULT_FPS
    # The median: the first frames of a network take far longer than the others.
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return round(min(max(1 / max(statistics.median(gaps), 1e-6), 1.0), 240.0), 2)


@contextmanager
def write_video(path: Path, fps: float | None) -> Iterator[VideoWriter]:
    """Open a :class:`VideoWriter` whose video appears at ``path`` when it is finished.

    Also where the block fails or is interrupted: then the video holds the frames
    until there, and the error goes on. Without any frame nothing is left behind.

    Raises:
        OutputError: the video cannot be written.
    """
    failure = None
    with atomic_path(path) as temporary:
        writer = VideoWriter(temporary, fps)
        try:
            yield writer
        except BaseException as error:
            failure = error
        writer.close()
        if not writer.count:
            raise failure or OutputError(f"'{path}' got no frame: nothing was written")
    if failure is not None:
        raise failure
