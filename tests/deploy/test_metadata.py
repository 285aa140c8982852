import json
from dataclasses import asdict, replace

import pytest

from sctnet.deploy.metadata import Metadata
from sctnet.errors import CheckpointError

SOUND = Metadata(
    config='c',
    classes=['a', 'b'],
    palette=[[1, 2, 3], [4, 5, 6]],
    mean=[1.0, 2.0, 3.0],
    std=[1.0, 2.0, 3.0],
    rgb=True,
    pipeline=[{'type': 'Resize', 'scale': [64, 64], 'keep_ratio': True}],
    size=None,
    images='normalised',
    output='logits',
    precision='fp32',
)


BANDS = replace(
    SOUND,
    mean=[1.0] * 4,
    std=[1.0] * 4,
    rgb=False,
    load='LoadBands',
    bands=[0, 1, 5, 7],
    value_range=[[0] * 4, [4095] * 4],
)


@pytest.mark.parametrize('given', [SOUND, BANDS])
def test_metadata_comes_back_as_it_was(given):
    assert Metadata.from_json(given.to_json(), 'a.onnx') == given


def test_files_from_before_bands_are_of_pictures():
    values = {**asdict(SOUND), 'input': ''}
    for name in ('load', 'bands', 'value_range'):
        del values[name]
    assert Metadata.from_json(json.dumps(values), 'a.onnx') == SOUND


def test_bands_are_read_as_the_file_says():
    first = BANDS.test_pipeline()[0]
    assert first == {'type': 'LoadBands', 'bands': (0, 1, 5, 7)}
    assert '"bands": [0, 1, 5, 7]' in BANDS.to_json()


@pytest.mark.parametrize(
    ('given', 'name', 'value'),
    [
        (SOUND, 'classes', []),
        (SOUND, 'classes', 'ab'),
        (SOUND, 'palette', [[1, 2, 300]]),
        (SOUND, 'palette', None),
        (SOUND, 'mean', []),
        (SOUND, 'std', [0, 1, 1]),
        (SOUND, 'std', ['a', 1, 1]),
        (SOUND, 'rgb', 'yes'),
        (SOUND, 'pipeline', [{}]),
        (SOUND, 'pipeline', [{'type': 'No'}]),
        (SOUND, 'pipeline', [{'type': 'Resize', 'no': 1}]),
        (SOUND, 'size', [1]),
        (SOUND, 'size', [0, 64]),
        (SOUND, 'images', 'x'),
        (SOUND, 'load', 'PackSegInputs'),
        (SOUND, 'output', None),
        (BANDS, 'load', 'subprocess.Popen'),
        (BANDS, 'load', 'LoadImageFromFile'),
        (BANDS, 'load', None),
        (BANDS, 'bands', [0, 1, 2]),
        (BANDS, 'bands', [0, 1, 2, -1]),
        (BANDS, 'bands', 'abcd'),
        (BANDS, 'value_range', [[0] * 4]),
        (BANDS, 'value_range', [[0] * 3, [1] * 3]),
        (BANDS, 'value_range', [['a'] * 4, [1] * 4]),
        (BANDS, 'mean', [1.0] * 3),
    ],
)
def test_values_that_no_export_writes_are_refused(given, name, value):
    text = json.dumps({**asdict(given), 'input': '', name: value})
    with pytest.raises(CheckpointError, match=r"'a\.onnx' does not say what it is"):
        Metadata.from_json(text, 'a.onnx')


@pytest.mark.parametrize('nested', [False, True])
def test_no_code_of_a_files_maker_runs(nested, tmp_path):
    step = {'type': 'subprocess.Popen', 'args': ['touch', str(tmp_path / 'ran')]}
    if nested:
        step = {'type': 'RandomApply', 'transforms': [step]}
    text = json.dumps({**asdict(SOUND), 'input': '', 'pipeline': [step]})
    with pytest.raises(CheckpointError, match='does not say what it is'):
        Metadata.from_json(text, 'a.onnx')
    assert not list(tmp_path.iterdir())
