"""What the web page does, without a browser."""

import base64
import json

import cv2
import numpy as np
import pytest
import session as sessions
import torch
import viewer
from session import Choice, Result, Session, segment_video

from sctnet.apis import inference_model
from sctnet.errors import ArgumentError, CheckpointError
from sctnet.streams.read_video import open_video

STREETS = Choice('sctnet-t-streets', 'torch')


@pytest.fixture
def weights(seeded, tmp_path):
    """A weight file of sctnet-t-streets."""
    path = tmp_path / 'mine.pth'
    torch.save(seeded.model(STREETS).state_dict(), path)
    return path


def result(labels, classes=3):
    labels = np.asarray(labels)
    image = np.full((*labels.shape, 3), 90, np.uint8)
    palette = np.arange(3 * classes, dtype=np.uint8).reshape(-1, 3)
    names = tuple(f'c{i}' for i in range(classes))
    return Result(image, labels, names, palette, 12.0, False)


def test_seeded_weights_are_the_same_twice_and_name_most_classes(scene, tmp_path):
    files = [tmp_path / name for name in ('a.pth', 'b.pth')]
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        sessions.write_seeded(STREETS.model, file)
        assert torch.equal(torch.get_rng_state(), before)
    first, second = (torch.load(file)['state_dict'] for file in files)
    assert all(torch.equal(first[key], second[key]) for key in first)
    session = Session(tmp_path, seeded=True, device='cpu')
    done = session.segment(STREETS, scene)
    assert len(np.unique(done.labels)) > 9
    assert done.seeded
    assert 'mean nothing' in json.loads(viewer.page_data(done, ''))['note']


def test_labels_are_those_of_inference_model(scene, seeded):
    done = seeded.segment(STREETS, scene)
    expected = inference_model(seeded.model(STREETS), scene).pred_sem_seg.data[0]
    assert np.array_equal(done.labels, expected)
    assert done.classes[:2] == ('road', 'sidewalk')
    assert done.palette[0].tolist() == [128, 64, 128]
    assert done.milliseconds > 0


def test_the_given_file_is_for_its_own_model_alone(tmp_path, weights):
    with pytest.raises(ArgumentError, match=r"no weights for 'sctnet-t.*--seeded"):
        Session(tmp_path, device='cpu').model(STREETS)
    session = Session(tmp_path, STREETS.model, weights, seeded=True, device='cpu')
    assert session.weights_note() == (
        'sctnet-t-streets runs with mine.pth, another with random weights'
    )
    assert not session.is_seeded(STREETS)
    session.model(STREETS)
    other = STREETS._replace(model='sctnet-s-ade')
    assert session.is_seeded(other)
    assert not session.is_seeded(other._replace(upload=str(weights)))
    with pytest.raises(CheckpointError, match=r'mine\.pth'):
        session.model(other._replace(upload=str(weights)))


def test_an_exported_file_brings_its_own_classes_and_sizes(scene, seeded, tmp_path):
    from sctnet.deploy.export import export_model

    export_model(seeded.model(STREETS), tmp_path / 'a.onnx')
    session = Session(tmp_path, device='cpu')
    choice = Choice('sctnet-s-ade', 'onnxruntime', str(tmp_path / 'a.onnx'))
    done, expected = session.segment(choice, scene), seeded.segment(STREETS, scene)
    assert done.classes == expected.classes
    assert (done.labels == expected.labels).mean() > 0.999


def test_a_legend_names_what_occurs_the_largest_first():
    shown = viewer.legend(result([[0, 2, 2, 255]]))
    assert [(one['index'], one['name'], one['share']) for one in shown] == [
        (2, 'c2', 0.5),
        (0, 'c0', 0.25),
    ]
    assert shown[0]['colour'] == [6, 7, 8]
    assert json.loads(viewer.page_data(result([[0, 2, 2, 255]]), ''))['absent'] == 1


@pytest.mark.parametrize('largest', [3, 999])
def test_label_maps_reach_the_browser_unchanged(largest):
    labels = np.random.default_rng(0).integers(0, largest, (70, 90)).astype(np.uint16)
    data = json.loads(viewer.page_data(result(labels, largest), '12 ms'))
    assert data['latency'] == '12 ms'
    assert data['note'] == ''
    head, _, body = data['labels'].partition(',')
    assert head == 'data:image/png;base64'
    png = np.frombuffer(base64.b64decode(body), np.uint8)
    _, high, low = cv2.split(cv2.imdecode(png, cv2.IMREAD_COLOR).astype(int))
    assert np.array_equal(low + 256 * high, labels)


def test_large_pictures_are_shrunk_without_new_labels():
    labels = np.zeros((40, 3200), np.uint8)
    labels[:, 1601:] = 9
    image, small = viewer.shrink(np.zeros((40, 3200, 3), np.uint8), labels)
    assert image.shape == (20, 1600, 3)
    assert small.shape == (20, 1600)
    assert set(np.unique(small)) == {0, 9}
    assert viewer.shrink(image, small) == (image, small)


@pytest.mark.parametrize(
    ('limit', 'stop_at', 'frames'), [(None, 99, 6), (4, 99, 4), (None, 2, 2)]
)
def test_a_video_ends_at_its_end_its_limit_or_when_told(
    seeded, drive, tmp_path, limit, stop_at, frames
):
    seen = []

    def on_frame(done, total):
        seen.append((done, total))
        return done >= stop_at

    model = seeded.model(STREETS)
    path, line = segment_video(model, drive, tmp_path, 0.5, limit, on_frame)
    assert path == tmp_path / 'drive_overlay.webm'
    assert len(list(open_video(path).images)) == frames
    assert f'{frames} frames at' in line
    assert seen[0] == (1, limit or 6)
