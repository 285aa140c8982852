import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from sctnet.errors import ImageError, OutputError
from sctnet.streams.read_video import open_video
from sctnet.streams.write_video import write_video


def picture(value=0, height=80, width=96):
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize('name', ['a.mp4', 'a.webm'])
@pytest.mark.parametrize('fps', [30, 29.97, 12.5, 0.5])
def test_round_trip_keeps_size_rate_and_order(tmp_path, fps, name):
    path = tmp_path / 'new' / name
    with write_video(path, fps) as writer:
        for value in range(0, 200, 20):
            writer.write(picture(value))
    clip = open_video(path)
    assert clip.length == 10
    assert clip.fps == pytest.approx(fps)
    images = list(clip.images)
    assert {image.shape for image in images} == {(80, 96, 3)}
    means = [image.mean() for image in images]
    assert means == pytest.approx(list(range(0, 200, 20)), abs=4)
    assert [p.name for p in path.parent.iterdir()] == [name]


def write_and_fail(path, error, count, fps=10):
    with write_video(path, fps) as writer:
        for _ in range(count):
            writer.write(picture())
        raise error


@pytest.mark.parametrize('error', [KeyboardInterrupt, ValueError, OutputError])
@pytest.mark.parametrize('fps', [10, None])
def test_what_was_written_before_an_error_can_be_played(tmp_path, error, fps):
    path = tmp_path / 'a.mp4'
    with pytest.raises(error):
        write_and_fail(path, error, 3, fps)
    assert len(list(open_video(path).images)) == 3
    path.unlink()
    with pytest.raises(error):
        write_and_fail(path, error, 0, fps)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('count', [1, 3, 15])
def test_the_rate_of_a_camera_is_measured(monkeypatch, tmp_path, count):
    # a slow first frame does not count
    moments = iter([0.0, 3.0, *(3 + 0.04 * i for i in range(1, 30))])
    monkeypatch.setattr(
        'sctnet.streams.write_video.time.perf_counter', lambda: next(moments)
    )
    path = tmp_path / 'a.mp4'
    with write_video(path, None) as writer:
        for _ in range(count):
            writer.write(picture())
    clip = open_video(path)
    assert clip.length == count
    assert clip.fps == pytest.approx({1: 30, 3: 1, 15: 25}[count], abs=0.4)


def test_pictures_of_another_size_are_scaled(tmp_path):
    with write_video(tmp_path / 'a.mp4', 10) as writer:
        writer.write(picture())
        writer.write(picture(height=40, width=40))
    assert [i.shape for i in open_video(tmp_path / 'a.mp4').images] == [(80, 96, 3)] * 2


def test_what_opencv_cannot_write_is_one_sentence(tmp_path, capfd):
    with (
        pytest.raises(OutputError, match=r'cannot write a 8200x64 \.mp4 .*FFmpeg'),
        write_video(tmp_path / 'a.mp4', 10) as writer,
    ):
        writer.write(picture(height=64, width=8200))
    capfd.readouterr()  # OpenCV's own words
    assert not list(tmp_path.iterdir())
    (tmp_path / 'file').write_text('')
    with (
        pytest.raises(OutputError, match='choose a folder'),
        write_video(tmp_path / 'file' / 'a.mp4', 10),
    ):
        pass


def test_a_disk_that_fills_up_ends_the_video_while_it_can_be_finished(
    tmp_path, monkeypatch
):
    path = tmp_path / 'a.mp4'
    free = iter([10**9] * 4 + [10**6])
    monkeypatch.setattr(
        shutil, 'disk_usage', lambda _: SimpleNamespace(free=next(free))
    )
    with pytest.raises(OutputError, match=r'almost full; .* after 4 frames'):
        write_and_fail(path, ValueError('not reached'), 9)
    assert len(list(open_video(path).images)) == 4


def test_an_unfinished_file_is_reported_not_kept(tmp_path, monkeypatch, capfd):
    path = tmp_path / 'a.mp4'
    real = cv2.VideoWriter  # OpenCV's classes do not survive being subclassed

    class Cut:
        fourcc = real.fourcc

        def __init__(self, *arguments):
            self.writer = real(*arguments)
            self.isOpened, self.write = self.writer.isOpened, self.writer.write

        def release(self):
            self.writer.release()
            (file,) = tmp_path.iterdir()
            file.write_bytes(file.read_bytes()[:100])

    monkeypatch.setattr(cv2, 'VideoWriter', Cut)
    with (
        pytest.raises(OutputError, match='could not be finished'),
        write_video(path, 10) as writer,
    ):
        writer.write(picture())
    capfd.readouterr()
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / 'a.mp4').write_text('')
    empty = SimpleNamespace(
        isOpened=lambda: True,
        get=lambda _: float('nan'),
        read=lambda: (False, None),
        release=lambda: None,
    )
    monkeypatch.setattr(cv2, 'VideoCapture', lambda _: empty)
    clip = open_video(tmp_path / 'a.mp4')
    assert (clip.length, clip.fps) == (0, 30)
    with pytest.raises(ImageError, match='holds no frame that can be decoded'):
        list(clip.images)
