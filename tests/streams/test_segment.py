"""Images, videos and cameras in; overlays and label maps, or a video, out."""

import itertools
import time
from functools import partial
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample

from sctnet.errors import ArgumentError, ImageError, OutputError
from sctnet.streams.open_input import Frame, Source, open_source
from sctnet.streams.pipeline import StreamReport
from sctnet.streams.segment import Outputs, check_out_dir, segment, segment_source

MODEL = SimpleNamespace(num_classes=19)  # what inference_model's stand-ins need


class Segments:
    """In place of the network: the label is the image's first value; counts images."""

    def __init__(self, monkeypatch, interrupt_at=None, seconds=0.0):
        self.images = []
        self.interrupt_at = interrupt_at
        self.seconds = seconds
        monkeypatch.setattr('sctnet.streams.segment.inference_model', self)

    def __call__(self, model, image):
        if len(self.images) == self.interrupt_at:
            time.sleep(0.2)  # the others are written
            raise KeyboardInterrupt
        time.sleep(self.seconds)
        self.images.append(int(image[0, 0, 0]))
        sample = SegDataSample(metainfo={'palette': [[255, 0, 0], [0, 255, 0]]})
        label = len(self.images) % 2
        data = torch.full((1, *image.shape[:2]), label, dtype=torch.int64)
        sample.pred_sem_seg = PixelData(data=data)
        return sample


def grey(value):
    return np.full((80, 96, 3), value % 256, np.uint8)


def moving(count, kind='video', fps=12.5):
    """A source of grey pictures that become brighter by 10."""
    frames = (
        Frame(f'drive_{i:06d}', partial(grey, 10 * i)) for i in range(1, count + 1)
    )
    return Source(frames, count, kind, 'drive', fps)


def frames_of(path):
    video = cv2.VideoCapture(str(path))
    images = []
    while (got := video.read())[0]:
        images.append(got[1])
    return images, video.get(cv2.CAP_PROP_FPS)


def test_a_video_gives_a_video_of_the_same_size_rate_and_frames(monkeypatch, tmp_path):
    segments = Segments(monkeypatch)
    report = segment_source(MODEL, moving(12), Outputs(tmp_path, opacity=0.25))
    assert segments.images == [10 * i for i in range(1, 13)]
    assert (report.written, report.dropped) == (12, 0)
    assert [path.name for path in tmp_path.iterdir()] == ['drive_overlay.mp4']
    images, fps = frames_of(tmp_path / 'drive_overlay.mp4')
    assert fps == pytest.approx(12.5)
    assert len(images) == 12
    for i, image in enumerate(images, 1):
        assert image.shape == (80, 96, 3)
        green = np.array([0, 255, 0] if i % 2 else [0, 0, 255])
        expected = 0.75 * 10 * i + 0.25 * green
        assert image.mean((0, 1)) == pytest.approx(expected, abs=12)


def test_a_video_file_read_and_written_with_label_maps(monkeypatch, tmp_path):
    path = tmp_path / 'drive.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (96, 80))
    for value in (0, 100, 200):
        writer.write(grey(value))
    writer.release()
    Segments(monkeypatch)
    out = tmp_path / 'out'
    segment_source(MODEL, open_source(path), Outputs(out, fps=20, save_labels=True))
    assert sorted(p.name for p in out.iterdir()) == [
        *(f'drive_{i:06d}_labels.png' for i in (1, 2, 3)),
        'drive_overlay.mp4',
    ]
    images, fps = frames_of(out / 'drive_overlay.mp4')
    assert (len(images), fps) == (3, 20)


def test_an_interrupted_video_can_be_played(monkeypatch, tmp_path):
    Segments(monkeypatch, interrupt_at=5)
    report = StreamReport()
    with pytest.raises(KeyboardInterrupt):
        segment_source(MODEL, moving(9), Outputs(tmp_path), report)
    assert report.written == 5
    assert len(frames_of(tmp_path / 'drive_overlay.mp4')[0]) == 5
    assert len(list(tmp_path.iterdir())) == 1


def test_a_video_for_browsers_ends_when_the_caller_says(monkeypatch, tmp_path):
    segments = Segments(monkeypatch)
    report = StreamReport()
    segment_source(
        *(MODEL, moving(12), Outputs(tmp_path, video_suffix='.webm'), report),
        lambda: report.segmented == 3,
    )
    assert len(segments.images) == report.written == 3
    images, fps = frames_of(tmp_path / 'drive_overlay.webm')
    assert (len(images), fps) == (3, 12.5)


def test_max_frames_ends_a_camera(monkeypatch, tmp_path):
    Segments(monkeypatch, seconds=0.01)
    moments = itertools.count(step=1 / 40)
    clock = SimpleNamespace(perf_counter=lambda: next(moments))
    monkeypatch.setattr('sctnet.streams.write_video.time', clock)
    source = moving(10**6, kind='camera', fps=None)
    report = segment_source(MODEL, source, Outputs(tmp_path, max_frames=12))
    assert report.written == 12
    assert report.dropped > 0
    images, fps = frames_of(tmp_path / 'drive_overlay.mp4')
    assert len(images) == 12
    assert fps == pytest.approx(40, rel=0.01)  # measured


def test_images_of_a_folder_fail_one_by_one_and_those_of_a_video_together(
    monkeypatch, tmp_path
):
    def bad():
        raise ImageError('bad')

    def source(kind):
        frames = iter([Frame('a', bad), Frame('b', partial(grey, 1))])
        return Source(frames, 2, kind, 'drive', 10)

    Segments(monkeypatch)
    report = segment_source(MODEL, source('images'), Outputs(tmp_path))
    assert (report.written, report.skipped) == (1, ['bad'])
    with pytest.raises(ImageError, match='bad'):
        segment_source(MODEL, source('video'), Outputs(tmp_path))
    assert not list(tmp_path.glob('*.mp4'))


class FakeWindow:
    """The user presses q once so many pictures were seen."""

    def __init__(self, patience):
        self.patience = patience
        self.seen = []
        self.held = self.closed = False

    def __call__(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def show(self, picture):
        if picture is not None:
            self.seen.append(picture)
        return len(self.seen) >= self.patience

    def hold(self):
        self.held = True


def test_a_window_shows_overlays_and_ends_a_video(monkeypatch, tmp_path):
    Segments(monkeypatch, seconds=0.01)
    window = FakeWindow(patience=3)
    monkeypatch.setattr('sctnet.streams.segment.Window', window)
    report = segment_source(MODEL, moving(200), Outputs(tmp_path, show=True))
    assert 3 <= report.written < 150
    assert len(frames_of(tmp_path / 'drive_overlay.mp4')[0]) == report.written
    assert window.closed
    window = FakeWindow(patience=99)
    monkeypatch.setattr('sctnet.streams.segment.Window', window)
    segment_source(MODEL, moving(1, 'images'), Outputs(tmp_path, show=True))
    assert window.held
    assert window.seen[-1].shape == (80, 96, 3)


def test_one_image_gives_overlay_and_label_map(tiny_model, photo, tmp_path):
    model = tiny_model().eval()
    steps = [{'type': 'LoadImageFromFile'}, {'type': 'PackSegInputs'}]
    model.cfg = Config({'test_pipeline': steps})
    model.data_preprocessor = SegDataPreProcessor(mean=[120.0] * 3, std=[60.0] * 3)
    report = segment_source(model, open_source(photo), Outputs(tmp_path / 'new'))
    assert (report.written, report.dropped, report.skipped) == (1, 0, [])
    labels, overlay = sorted((tmp_path / 'new').iterdir())
    assert overlay.name == 'photo_overlay.png'
    assert labels.name == 'photo_labels.png'
    assert cv2.imread(str(overlay)).shape == (80, 96, 3)
    label_map = cv2.imread(str(labels), cv2.IMREAD_UNCHANGED)
    assert label_map.shape == (80, 96)
    assert label_map.max() < 4


def test_output_into_the_folder_of_the_input_is_refused(tmp_path, photo):
    (tmp_path / 'x').mkdir()
    with pytest.raises(OutputError, match='--out-dir'):
        check_out_dir(tmp_path, tmp_path / 'x' / '..')
    check_out_dir(tmp_path, tmp_path / 'x')
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match=r"cannot write '.*file' .* --out-dir"):
        check_out_dir(photo, tmp_path / 'file')


@pytest.mark.parametrize(
    ('option', 'value'),
    [('fps', 0), ('max_frames', 0), ('opacity', 5), ('video_suffix', '.gif')],
)
def test_values_out_of_range(option, value):
    with pytest.raises(ArgumentError, match=f'{option} is .*expected'):
        Outputs('x', **{option: value})


@pytest.mark.parametrize(
    ('classes', 'dtype', 'narrowed'),
    [
        (201, torch.uint8, np.uint8),
        (201, torch.int64, np.uint8),
        (300, torch.int64, np.uint16),
    ],
)
def test_label_maps_are_narrowed_and_a_palette_is_made(
    classes, dtype, narrowed, monkeypatch, photo, tmp_path
):
    sample = SegDataSample(metainfo={'palette': None})
    labels = (torch.arange(80 * 96).reshape(1, 80, 96) % classes).to(dtype)
    sample.pred_sem_seg = PixelData(data=labels)
    monkeypatch.setattr('sctnet.streams.segment.inference_model', lambda *_: sample)
    model = SimpleNamespace(num_classes=classes)
    assert np.shape(segment(model, 'a', np.zeros((80, 96, 3))).palette) == (classes, 3)
    segment_source(model, open_source(photo), Outputs(tmp_path))
    saved = cv2.imread(str(tmp_path / 'photo_labels.png'), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == narrowed
    np.testing.assert_array_equal(saved, labels[0])
