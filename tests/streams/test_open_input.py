import cv2
import numpy as np
import pytest

from sctnet.errors import ImageError
from sctnet.streams.open_input import open_source


def test_folder_is_sorted_and_equal_stems_do_not_collide(tmp_path, photo):
    image = cv2.imread(str(photo))
    for name in ('b.png', 'a.png', 'a.jpg'):
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / 'notes.txt').write_text('')
    source = open_source(tmp_path)
    assert [f.name for f in source.frames] == ['a.jpg', 'a.png', 'b']
    assert source.length == 3


def test_folders_below_are_read_and_keep_their_tree(tmp_path, photo):
    for name in ('a/x.png', 'a/x.jpg', 'b/x.png', 'b/c/y.PNG', '.hidden/z.png'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(photo.read_bytes())
    (tmp_path / 'a' / 'notes.txt').write_text('')
    (tmp_path / 'a' / 'x.jpg.png').write_bytes(photo.read_bytes())
    source = open_source(tmp_path)
    names = [frame.name for frame in source.frames]
    assert names == ['a/x.jpg', 'a/x.jpg.png', 'a/x.png', 'b/c/y', 'b/x']
    assert source.found == '5 images in 3 folders; 1 other files are left out'
    (tmp_path / 'link').symlink_to(tmp_path)  # the results may be named by it
    less = open_source(tmp_path / 'b', leave_out=tmp_path / 'link' / 'b' / 'c')
    assert [frame.name for frame in less.frames] == ['x']
    assert less.found == '1 images in 1 folder'
    everything = open_source(tmp_path / 'b', leave_out=tmp_path / 'b')
    assert everything.length == 2  # which check_out_dir refuses


def test_bad_inputs(tmp_path):
    with pytest.raises(ImageError, match='empty name'):
        open_source('')
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(ImageError, match='has no images'):
        open_source(tmp_path)
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    for name in ('broken.mp4', 'missing.mp4', 'missing.TS'):
        with pytest.raises(ImageError, match=rf"video '.*{name}' cannot be read"):
            open_source(tmp_path / name)


class Camera:
    """A capture that OpenCV would have opened, with some frames."""

    def __init__(self, frames):
        self.frames = list(frames)
        self.released = False

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self):
        self.released = True


@pytest.mark.parametrize(
    ('name', 'stem', 'index'),
    [
        ('0', 'camera_0_', 0),
        ('/dev/video7', 'camera_7_', 7),
        ('rtsp://host/a.mp4', 'stream_', 'rtsp://host/a.mp4'),
    ],
)
def test_cameras_and_streams_give_frames(monkeypatch, name, stem, index):
    image = np.zeros((80, 96, 3), np.uint8)
    camera = Camera([image, image])
    opened = []
    monkeypatch.setattr('cv2.VideoCapture', lambda *a: opened.append(a) or camera)
    source = open_source(name)
    assert (source.kind, source.length, source.fps) == ('camera', 0, None)
    assert source.name.startswith(stem)
    assert opened[0][0] == index
    assert len(list(source.frames)) == 2
    assert camera.released


def test_missing_cameras_and_streams_are_one_sentence(monkeypatch):
    with pytest.raises(ImageError, match='camera 77 cannot be opened: check that it'):
        open_source('77')
    url = 'rtsp://user:secret@127.0.0.1:9/live'
    with pytest.raises(ImageError, match='cannot be opened: check its') as caught:
        open_source(url)
    assert '127.0.0.1:9/live' in str(caught.value)
    assert 'secret' not in str(caught.value)
    monkeypatch.setattr('cv2.VideoCapture', lambda *_: Camera([]))
    with pytest.raises(ImageError, match='camera 0 gives no frame: check that it'):
        list(open_source('0').frames)


def test_a_file_named_like_a_camera_is_a_file(tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '0').mkdir()
    (tmp_path / '0' / 'a.png').write_bytes(photo.read_bytes())
    (frame,) = open_source('0').frames
    assert frame.name == 'a'
