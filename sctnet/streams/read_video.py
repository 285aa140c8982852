"""Reads a video file frame by frame."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..errors import ImageError

VIDEO_SUFFIXES = (
    '.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.ts'
)  # fmt: skip
DEFAULT_FPS = 30.0


class Clip(NamedTuple):
    """An open video file."""

    images: Iterator[np.ndarray]  # BGR uint8 (H, W, 3)
    length: int  # frames; 0 where it does not tell
    fps: float


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
        images_of(video, problem),
        int(length) if math.isfinite(length) and length > 0 else 0,
        fps if math.isfinite(fps) and 0 < fps <= 1000 else DEFAULT_FPS,
    )


def images_of(video: cv2.VideoCapture, problem: str) -> Iterator[np.ndarray]:
    """Give an open capture's frames and release it; no frame is an ImageError."""
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
