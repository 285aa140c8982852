from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from sctnet.errors import ArgumentError, OutputError
from sctnet.streams.open_source import open_source
from sctnet.streams.segment import Outputs, check_out_dir, segment, segment_source

MODEL = SimpleNamespace(num_classes=19)  # what inference_model's stand-ins need


@pytest.fixture(scope='module')
def model():
    from sctnet.apis import init_model

    return init_model('sctnet-s-seg50', device='cpu')


def test_one_image_gives_overlay_and_label_map(model, photo, tmp_path):
    source = open_source(photo)
    assert source.length == 1
    report = segment_source(model, source, Outputs(tmp_path / 'new'))
    assert (report.written, report.dropped, report.skipped) == (1, 0, [])
    labels, overlay = sorted((tmp_path / 'new').iterdir())
    assert overlay.name == 'photo_overlay.png'
    assert labels.name == 'photo_labels.png'
    assert cv2.imread(str(overlay)).shape == (80, 96, 3)
    label_map = cv2.imread(str(labels), cv2.IMREAD_UNCHANGED)
    assert label_map.shape == (80, 96)
    assert label_map.max() < 19


def test_unwritable_output_is_one_sentence(model, photo, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match='cannot write'):
        segment_source(model, open_source(photo), Outputs(tmp_path / 'file'))


def test_output_into_the_folder_of_the_input_is_refused(tmp_path, photo):
    (tmp_path / 'x').mkdir()
    with pytest.raises(OutputError, match='--out-dir'):
        check_out_dir(tmp_path, tmp_path / 'x' / '..')
    check_out_dir(tmp_path, tmp_path / 'x')
    check_out_dir(photo, photo.parent)
    (tmp_path / 'file').write_text('')
    with pytest.raises(OutputError, match=r"file' cannot be written .* --out-dir"):
        check_out_dir(photo, tmp_path / 'file')


@pytest.mark.parametrize(
    'option',
    [
        {'fps': 0},
        {'fps': -3.5},
        {'max_frames': 0},
        {'opacity': 5},
        {'video_suffix': '.gif'},
    ],
)
def test_values_out_of_range(option):
    with pytest.raises(ArgumentError, match=f'{next(iter(option))} is .*expected'):
        Outputs('x', **option)


def test_more_than_256_classes_and_no_palette(monkeypatch, photo, tmp_path):
    sample = SegDataSample(metainfo={'palette': None})
    labels = torch.arange(80 * 96).reshape(1, 80, 96) % 300
    sample.pred_sem_seg = PixelData(data=labels)
    monkeypatch.setattr('sctnet.streams.segment.inference_model', lambda *_: sample)
    model = SimpleNamespace(num_classes=300)
    segment_source(model, open_source(photo), Outputs(tmp_path))
    saved = cv2.imread(str(tmp_path / 'photo_labels.png'), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    np.testing.assert_array_equal(saved, labels[0])


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32, torch.int64])
def test_label_maps_of_any_type_are_narrowed(monkeypatch, dtype):
    sample = SegDataSample(metainfo={'palette': None})
    sample.pred_sem_seg = PixelData(data=torch.full((1, 64, 64), 200, dtype=dtype))
    monkeypatch.setattr('sctnet.streams.segment.inference_model', lambda *_: sample)
    done = segment(SimpleNamespace(num_classes=201), 'a', np.zeros((64, 64, 3)))
    assert done.labels.dtype == np.uint8
    assert (done.labels == 200).all()
    assert done.palette.shape == (201, 3)
