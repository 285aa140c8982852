"""Reading a camera, or a stream by its URL."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from ..errors import ImageError
from .read_video import images_of

TIMEOUT_MS = 10_000
_DEVICE = re.compile(r'(?:/dev/video)?(\d{1,3})', re.ASCII)
_STREAM = re.compile(r'(rtsps?|rtmp|https?|udp|tcp|srt)://', re.IGNORECASE)


def is_live(name: str) -> bool:
    """Whether ``name`` is a camera (``0``, ``/dev/video0``) or a stream's URL."""
    there = os.path.isfile(name) or os.path.isdir(name)  # a device is neither
    return bool(_STREAM.match(name) or (camera_index(name) is not None and not there))


def camera_index(name: str) -> int | None:
    """Return the number of a camera that ``name`` says, if it does."""
    device = _DEVICE.fullmatch(name)
    return int(device[1]) if device else None


def open_camera(name: str) -> Iterator[np.ndarray]:
    """Open a camera by its index or device, or a stream by its URL; give its frames.

    Raises:
        ImageError: it cannot be opened; also while iterating, where it gives no frame.
    """
    index = camera_index(name)
    if index is not None:
        shown = f'camera {index}'
        remedy = 'check that it is connected and free, or name another index, such as 0'
    else:
        # No password in a message: those end up in logs.
        shown = f"stream '{re.sub('//[^/]*@', '//', name)}'"
        remedy = 'check its address and that a player shows it'
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, TIMEOUT_MS]
    timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, TIMEOUT_MS]
    with _quiet_opencv():
        video = (
            cv2.VideoCapture(index)
            if index is not None
            else cv2.VideoCapture(name, cv2.CAP_ANY, timeouts)
        )
    if not video.isOpened():
        raise ImageError(f'{shown} cannot be opened: {remedy}')
    return images_of(video, f'{shown} gives no frame: {remedy}')


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """Keep back OpenCV's own lines on each backend that it tries."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
