"""Frames from video files and cameras, and pictures into a video file."""

import math
import os
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..errors import ImageError, OutputError
from ..files import atomic_path

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')
DEFAULT_FPS = 30.0
MEASURED_FRAMES = 10
TIMEOUT_MS = 10_000
# OpenCV's writer says nothing of a full disk and leaves a file that cannot be played.
SPARE_BYTES = 32 * 2**20
# Of those that OpenCV's wheels can write, browsers play VP8 alone.
CODECS = {'.mp4': 'mp4v', '.webm': 'VP80'}

_STREAM = re.compile(r'(rtsps?|rtmp|https?|udp|tcp|srt)://', re.IGNORECASE)


class Clip(NamedTuple):
    """An open video or camera."""

    images: Iterator[np.ndarray]  # BGR uint8 (H, W, 3)
    length: int  # frames; 0 where it does not tell
    fps: float | None  # of a file


def is_live(name: str) -> bool:
    """Whether ``name`` is a camera's index or a stream's URL rather than a path."""
    index = re.fullmatch(r'\d{1,3}', name, re.ASCII)
    return bool(_STREAM.match(name) or (index and not os.path.exists(name)))


def open_video(file: Path) -> Clip:
    """Open a video file.

    Raises:
        ImageError: it is missing or cannot be decoded; also while iterating, where no
            frame of it can.
    """
    video = cv2.VideoCapture(os.fspath(file))
    if not os.path.isfile(file) or not video.isOpened():
        raise ImageError(
            f"video '{file}' cannot be read: check the path, or convert it to H.264 in "
            'an .mp4 file'
        )
    problem = (
        f"video '{file}' holds no frame that can be decoded: convert it to H.264 in an "
        '.mp4 file'
    )
    length = video.get(cv2.CAP_PROP_FRAME_COUNT)
    fps = video.get(cv2.CAP_PROP_FPS)
    return Clip(
        _images(video, problem),
        int(length) if math.isfinite(length) and length > 0 else 0,
        fps if math.isfinite(fps) and 0 < fps <= 1000 else DEFAULT_FPS,
    )


def open_camera(name: str) -> Clip:
    """Open a camera by its index (``'0'``) or a stream by its URL.

    Raises:
        ImageError: it cannot be opened; also while iterating, where it gives no frame.
    """
    if name.isdecimal():
        shown = f'camera {name}'
        remedy = 'check that it is connected and free, or name another index, such as 0'
    else:
        # No password in a message: those end up in logs.
        shown = f"stream '{re.sub('//[^/]*@', '//', name)}'"
        remedy = 'check its address and that a player shows it'
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS]
    timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
    with _quiet_opencv():
        video = (
            cv2.VideoCapture(int(name))
            if name.isdecimal()
            else cv2.VideoCapture(name, cv2.CAP_ANY, timeouts)
        )
    if not video.isOpened():
        raise ImageError(f'{shown} cannot be opened: {remedy}')
    return Clip(_images(video, f'{shown} gives no frame: {remedy}'), 0, None)


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep back OpenCV's own lines on each backend that it tries."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _images(video: cv2.VideoCapture, problem: str) -> Iterator[np.ndarray]:
    count = 0
    try:
        while True:
            there, image = video.read()
            if not there:
                break
            count += 1
            yield image
    finally:
        video.release()
    if not count:
        raise ImageError(problem)


class VideoSink:
    """Writes pictures as a video; use it through :func:`video_sink`.

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
def video_sink(path: Path, fps: float | None) -> Iterator[VideoSink]:
    """Open a :class:`VideoSink` whose video appears at ``path`` when it is finished.

    Also where the block fails or is interrupted: then the video holds the frames
    until there, and the error goes on. Without any frame nothing is left behind.

    Raises:
        OutputError: the video cannot be written.
    """
    failure = None
    with atomic_path(path) as temporary:
        sink = VideoSink(temporary, fps)
        try:
            yield sink
        except BaseException as error:
            failure = error
        sink.close()
        if not sink.count:
            raise failure or OutputError(f"'{path}' got no frame: nothing was written")
    if failure is not None:
        raise failure
