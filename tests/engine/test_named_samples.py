"""A file that cannot be loaded is named, wherever it is loaded."""

import copy
import struct
import zlib

import cv2
import numpy as np
import pytest
from small_training import LEAF
from torch.utils.data import DataLoader

from sctnet.catalog import load_config
from sctnet.cli.explain_errors import explain_run
from sctnet.datasets.street_scenes import write_street_scenes
from sctnet.engine.named_samples import NamedSamples
from sctnet.engine.train_loop import SeededSamples
from sctnet.errors import DataError

LABELS = 'gtFine/train/procedural/procedural_000000_000019_gtFine_labelTrainIds.png'
IMAGE = 'leftImg8bit/train/procedural/procedural_000000_000019_leftImg8bit.png'


@pytest.fixture
def scenes(tmp_path):
    return write_street_scenes(tmp_path / 'streets', 2, 1, size=(128, 64))


def samples(root, loader='train_dataloader'):
    dataset = copy.deepcopy(load_config(LEAF)[loader].dataset)
    dataset.data_root = str(root)
    return NamedSamples(dataset)


def grey(path, size, value=0):
    assert cv2.imwrite(str(path), np.full(size[::-1], value, np.uint8))


def test_sound_samples_come_through_and_the_data_set_shows(scenes):
    named = samples(scenes)
    assert len(named) == 2
    assert named[0]['inputs'].shape == (3, 128, 256)
    assert named.metainfo['classes'][0] == 'road'
    assert samples(scenes, 'val_dataloader')[0]['inputs'].shape == (3, 256, 512)


@pytest.mark.parametrize('loader', ['train_dataloader', 'val_dataloader'])
@pytest.mark.parametrize('file', [LABELS, IMAGE])
@pytest.mark.parametrize('data', [b'', b'no picture', None])
def test_a_damaged_file_is_named(file, data, loader, scenes):
    named = samples(scenes, loader)
    if loader.startswith('val'):
        file = file.replace('train', 'val', 1).replace('procedural', 'madeupton')
    path = scenes / file
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    with pytest.raises(DataError, match=rf"^'.*{path.name}' is broken \("):
        named[0]


@pytest.mark.parametrize('size', [(64, 128), (1, 1)])
def test_label_maps_of_another_size_are_refused(size, scenes):
    grey(scenes / LABELS, size)
    with pytest.raises(DataError, match=r'broken \(image 128x64, label map'):
        samples(scenes)[0]


@pytest.mark.parametrize('file', [LABELS, IMAGE])
def test_a_few_bytes_that_claim_much_are_not_decoded(file, scenes):
    path = scenes / file
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack('>II', 60_000, 60_000)
    data[29:33] = struct.pack('>I', zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(DataError, match=rf"{path.name}' is broken .claims more than"):
        samples(scenes)[0]


def test_label_maps_in_colour_are_refused(scenes):
    cv2.imwrite(str(scenes / LABELS), np.zeros((64, 128, 3), np.uint8))
    with pytest.raises(DataError, match='one channel'):
        samples(scenes)[0]


def test_a_fault_of_the_pipeline_names_the_sample(scenes):
    named = samples(scenes)
    named.dataset.pipeline.transforms[2].ratio_range = None
    with pytest.raises(DataError, match=r"sample 0 \('.*leftImg8bit.png' and '.*Error"):
        named[0]


def test_the_sentence_of_a_worker_is_the_sentence(scenes):
    for path in (scenes / LABELS).parent.iterdir():
        path.write_bytes(b'no picture')
    numbered = [(0, 0), (1, 1)]
    loader = DataLoader(
        NamedSamples(SeededSamples(samples(scenes).dataset, seed=0)),
        sampler=numbered,
        num_workers=1,
        collate_fn=list,
    )
    with pytest.raises(DataError) as raised, explain_run():
        list(loader)
    assert str(raised.value).startswith('2 files in a row')
    assert '\n' not in str(raised.value)


def test_the_end_of_the_samples_is_an_index_error(scenes):
    with pytest.raises(IndexError):
        NamedSamples([1, 2])[2]
