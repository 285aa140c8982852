"""The window of ``--show``, which shows overlays while they are made."""

import os
import sys

import cv2
import numpy as np

from ..errors import OutputError


class Window:
    """A window that shows one picture at a time; for the main thread.

    Raises:
        OutputError: there is no screen, or OpenCV was built without windows.
    """

    TITLE = 'sctnet: q or Esc ends'

    def __init__(self) -> None:
        self._shown = self._ended = False
        screens = ('DISPLAY', 'WAYLAND_DISPLAY')
        # Qt ends the whole process where it finds no screen: ask before it does.
        if sys.platform == 'linux' and not any(os.environ.get(s) for s in screens):
            raise OutputError(
                'no window can be opened (DISPLAY is not set): leave --show out, or '
                'run it on a desktop'
            )
        try:
            cv2.namedWindow(self.TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise OutputError(
                'this OpenCV has no windows: leave --show out, or pip install '
                'opencv-python in place of opencv-python-headless'
            ) from error

    def __enter__(self) -> 'Window':
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyAllWindows()

    def show(self, picture: np.ndarray | None) -> bool:
        """Show a BGR picture, if there is one yet; True once the user has ended it."""
        if picture is not None and not self._ended:
            cv2.imshow(self.TITLE, picture)
            self._shown = True
        return self._wait(1)

    def hold(self) -> None:
        """Wait until the user ends it: q, Esc, or the window closed."""
        while not self._wait(50):
            pass

    def _wait(self, milliseconds: int) -> bool:
        if not self._ended:
            key = cv2.waitKey(milliseconds) & 0xFF
            visible = cv2.getWindowProperty(self.TITLE, cv2.WND_PROP_VISIBLE)
            self._ended = (self._shown and visible < 1) or key in (ord('q'), 27)
        return self._ended
