"""What the page's controls do; errors become one sentence in the page."""

import logging
import time
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from latency import Latency
from session import Choice, Session, segment_video
from viewer import SEEDED_NOTE, error_data, page_data

from sctnet.datasets.images import read_image
from sctnet.errors import SCTNetError


class Live:
    """What one visitor's page remembers between events."""

    def __init__(self) -> None:
        self.latency = Latency()
        self.failed: Choice | None = None  # its error has been shown
        self.stop_video = False


def sentence(error: Exception, *files: str | None) -> str:
    """Return one sentence on ``error``; ``files`` are named without their folder."""
    if not isinstance(error, SCTNetError):
        logging.getLogger(__name__).error('an event of the page failed', exc_info=error)
        return 'Something unforeseen failed: the terminal of the page says what.'
    text = str(error)
    for file in filter(None, files):
        text = text.replace(file, Path(file).name)
    return text


class Handlers:
    """The page's events over a :class:`~session.Session`.

    Args:
        session: the models.
        video_dir: folder of the videos that are made.
    """

    def __init__(self, session: Session, video_dir: Path) -> None:
        self._session = session
        self._video_dir = video_dir

    def image(
        self, tab: str, file: str | None, model: str, backend: str, upload: str | None
    ) -> Any:
        """Segment an image file; return what the viewer shows."""
        if tab != 'image' or not file:
            return gr.skip()
        choice = Choice(model, backend, upload)
        try:
            result = self._session.segment(choice, read_image(file))
        except Exception as error:
            return error_data(sentence(error, file, upload))
        height, width = result.labels.shape
        line = f'{result.milliseconds:.0f} ms from image to label map, {width}x{height}'
        return page_data(result, f'{line}, on {backend}')

    def webcam(
        self,
        frame: np.ndarray | None,
        model: str,
        backend: str,
        upload: str | None,
        live: Live,
    ) -> Any:
        """Segment an RGB frame (H, W, 3) of the webcam; show each error once."""
        choice = Choice(model, backend, upload)
        if frame is None or choice == live.failed:
            return gr.skip()
        try:
            result = self._session.segment(choice, frame[..., ::-1].copy())
        except Exception as error:
            live.failed = choice
            return error_data(sentence(error, upload))
        live.failed = None
        live.latency.add(result.milliseconds, choice, time.monotonic())
        return page_data(result, f'{live.latency}, on {backend}')

    def video(
        self,
        file: str | None,
        model: str,
        backend: str,
        upload: str | None,
        opacity: float,
        max_frames: float | None,
        live: Live,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  as Gradio asks for it
    ) -> tuple[str, str]:
        """Segment a video; return the written file and a line on its speed."""
        live.stop_video = False
        choice = Choice(model, backend, upload)
        if not file:
            raise gr.Error('Choose a video first.', print_exception=False)

        def step(done: int, total: int) -> bool:
            progress((done, total or None), unit='frames')
            return live.stop_video

        try:
            path, line = segment_video(
                *(self._session.model(choice), Path(file)),
                *(self._video_dir, opacity, int(max_frames or 0) or None, step),
            )
        except Exception as error:
            raise gr.Error(
                sentence(error, file, upload), duration=20, print_exception=False
            ) from None
        note = f'**{SEEDED_NOTE}** ' if self._session.is_seeded(choice) else ''
        return str(path), f'{note}{line}, on {backend}'

    def stop(self, live: Live) -> None:
        """End the video after the frame that is under way."""
        live.stop_video = True
