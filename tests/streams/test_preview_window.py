import cv2
import numpy as np
import pytest

from sctnet.errors import OutputError
from sctnet.streams.preview_window import Window

PICTURE = np.zeros((8, 8, 3), np.uint8)


class Screen:
    """OpenCV's window functions with a user before them."""

    def __init__(self, monkeypatch):
        self.shown = 0
        self.keys = []
        self.visible = 1.0
        self.destroyed = False
        monkeypatch.setenv('DISPLAY', ':0')
        monkeypatch.setattr(cv2, 'namedWindow', lambda *_: None)
        monkeypatch.setattr(cv2, 'imshow', self.imshow)
        monkeypatch.setattr(
            cv2, 'waitKey', lambda _: self.keys.pop() if self.keys else -1
        )
        monkeypatch.setattr(cv2, 'getWindowProperty', lambda *_: self.visible)
        monkeypatch.setattr(cv2, 'destroyAllWindows', self.destroy)

    def imshow(self, *_):
        self.shown += 1

    def destroy(self):
        self.destroyed = True


@pytest.mark.parametrize('end', [ord('q'), 27, None])
def test_q_escape_or_closing_ends_it(monkeypatch, end):
    screen = Screen(monkeypatch)
    with Window() as window:
        assert not window.show(None)
        assert not window.show(PICTURE)
        screen.keys = [ord('x')]
        assert not window.show(PICTURE)
        screen.keys, screen.visible = ([end], 1.0) if end else ([], 0.0)
        assert window.show(PICTURE)
        screen.visible = 1.0
        # showing again would open a closed window again
        assert window.show(PICTURE)
        assert screen.shown == 3
        window.hold()
    assert screen.destroyed


def test_no_screen_and_no_windows_are_one_sentence(monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(OutputError, match=r'DISPLAY is not set\): leave --show out'):
        Window()

    def headless(*_):
        raise cv2.error('The function is not implemented')

    Screen(monkeypatch)
    monkeypatch.setattr(cv2, 'namedWindow', headless)
    with pytest.raises(OutputError, match='has no windows: leave --show out'):
        Window()
