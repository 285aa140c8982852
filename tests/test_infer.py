from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from sctnet.errors import ArgumentError, ImageError, OutputError
from sctnet.infer import check_out_dir, draw_overlay, open_source, segment_to_files


@pytest.fixture(scope='module')
def model():
    from sctnet.apis import init_model

    return init_model('sctnet-s-seg50', device='cpu')


def test_one_image_gives_overlay_and_label_map(model, photo, tmp_path):
    source = open_source(photo)
    assert source.length == 1
    (frame,) = source.frames
    overlay, labels = segment_to_files(model, frame, tmp_path / 'new')
    assert overlay.name == 'photo_overlay.png'
    assert cv2.imread(str(overlay)).shape == (80, 96, 3)
    label_map = cv2.imread(str(labels), cv2.IMREAD_UNCHANGED)
    assert label_map.shape == (80, 96)
    assert label_map.max() < 19


def test_folder_is_sorted_and_equal_stems_do_not_collide(tmp_path, photo):
    image = cv2.imread(str(photo))
    for name in ('b.png', 'a.png', 'a.jpg'):
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / 'notes.txt').write_text('')
    source = open_source(tmp_path)
    assert [f.name for f in source.frames] == ['a.jpg', 'a.png', 'b']
    assert source.length == 3


def test_video_gives_every_frame(tmp_path):
    path = tmp_path / 'drive.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (96, 80))
    for value in (0, 100, 200):
        writer.write(np.full((80, 96, 3), value, np.uint8))
    writer.release()
    frames = list(open_source(path).frames)
    assert [f.name for f in frames] == [f'drive_{i:06d}' for i in (1, 2, 3)]
    means = [f.read().mean() for f in frames]
    assert means == pytest.approx([0, 100, 200], abs=3)


def test_bad_inputs(tmp_path):
    with pytest.raises(ImageError, match='empty name'):
        open_source('')
    (tmp_path / 'folder.png').mkdir()
    with pytest.raises(ImageError, match='has no images'):
        open_source(tmp_path)
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    for name in ('broken.mp4', 'missing.mp4'):
        with pytest.raises(ImageError, match=rf"video '.*{name}' cannot be read"):
            open_source(tmp_path / name)


def test_unwritable_output_is_one_sentence(model, photo, tmp_path):
    (tmp_path / 'file').write_text('')
    (frame,) = open_source(photo).frames
    with pytest.raises(OutputError, match='cannot write'):
        segment_to_files(model, frame, tmp_path / 'file')


def test_output_into_the_folder_of_the_input_is_refused(tmp_path, photo):
    (tmp_path / 'x').mkdir()
    with pytest.raises(OutputError, match='--out-dir'):
        check_out_dir(tmp_path, tmp_path / 'x' / '..')
    check_out_dir(tmp_path, tmp_path / 'x')
    check_out_dir(photo, photo.parent)


@pytest.mark.parametrize('opacity', [-1, 5])
def test_opacity_out_of_range(opacity):
    with pytest.raises(ArgumentError, match='expected 0 to 1'):
        draw_overlay(
            np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1)), [[0] * 3], opacity
        )


def test_more_than_256_classes_and_no_palette(monkeypatch, photo, tmp_path):
    sample = SegDataSample(metainfo={'palette': None})
    labels = torch.arange(80 * 96).reshape(1, 80, 96) % 300
    sample.pred_sem_seg = PixelData(data=labels)
    monkeypatch.setattr('sctnet.infer.inference_model', lambda *_: sample)
    (frame,) = open_source(photo).frames
    _, path = segment_to_files(SimpleNamespace(num_classes=300), frame, tmp_path)
    saved = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    np.testing.assert_array_equal(saved, labels[0])


def test_overlay_blends_known_classes_only():
    image = np.full((1, 3, 3), 100, np.uint8)
    labels = np.array([[0, 1, 255]])
    blended = draw_overlay(image, labels, [[200, 0, 0], [0, 0, 50]], opacity=0.5)
    # the palette is RGB, the image BGR
    assert blended.tolist() == [[[50, 50, 150], [75, 50, 50], [100, 100, 100]]]
    assert (
        draw_overlay(image, labels, [[9, 9, 9]], opacity=0.0).tolist() == image.tolist()
    )
