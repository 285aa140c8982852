"""What stands for each class in a file of predictions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.datasets import ADE20KDataset, CityscapesDataset
from mmseg.structures import SegDataSample

from sctnet.apis import label_image
from sctnet.catalog import load_config
from sctnet.engine.written_labels import written_values
from sctnet.errors import ArgumentError, ConfigError

CITYSCAPES = CityscapesDataset.METAINFO['classes']
ADE20K = ADE20KDataset.METAINFO['classes']


class Merged(CityscapesDataset):
    """Values 2 and 3 of its label maps are class 0."""

    @classmethod
    def get_label_map(cls, new_classes=None):
        return {0: 1, 1: 0, 2: 0}


def config_of(**dataset):
    return Config({'test_dataloader': {'dataset': dataset}})


@pytest.mark.parametrize(
    ('count', 'kind'), [(19, 'uint8'), (256, 'uint8'), (257, 'uint16')]
)
def test_indices_are_as_the_network_gives_them(count, kind):
    values = written_values('index', count, (), None)
    assert values.tolist() == list(range(count))
    assert values.dtype == kind


def test_servers_get_the_values_that_they_take():
    ids = written_values('cityscapes', 19, CITYSCAPES, None)
    assert dict(zip(CITYSCAPES, ids.tolist(), strict=True)) == {
        'road': 7, 'sidewalk': 8, 'building': 11, 'wall': 12, 'fence': 13, 'pole': 17,
        'traffic light': 19, 'traffic sign': 20, 'vegetation': 21, 'terrain': 22,
        'sky': 23, 'person': 24, 'rider': 25, 'car': 26, 'truck': 27, 'bus': 28,
        'train': 31, 'motorcycle': 32, 'bicycle': 33,
    }  # fmt: skip
    assert written_values('ade20k', 150, ADE20K, None).tolist() == [*range(1, 151)]
    # By name, whatever their order.
    turned = written_values('cityscapes', 19, CITYSCAPES[::-1], None)
    assert turned.tolist() == ids.tolist()[::-1]
    assert ids.dtype == np.uint8


@pytest.mark.parametrize(
    ('labels', 'count', 'classes', 'said'),
    [
        ('cityscapes', 3, ('road', 'wood', 'car'), "this network has 'wood': take"),
        ('ade20k', 19, CITYSCAPES, 'for the 150 classes of that data set'),
        ('cityscapes', 19, (), 'this network has 19 without their names'),
        ('cityscapes', 20, CITYSCAPES, 'this network has 20 without their names'),
        ('camvid', 3, (), "labels is 'camvid': expected one of index, dataset, cit"),
    ],
)
def test_other_classes_are_refused(labels, count, classes, said):
    with pytest.raises(ArgumentError, match=said):
        written_values(labels, count, classes, None)


def test_the_data_sets_own_values_load_as_the_classes():
    ade = load_config('sctnet-s-ade')
    assert written_values('dataset', 150, (), ade).tolist() == [*range(1, 151)]
    cityscapes = load_config('sctnet-s-seg50')
    assert written_values('dataset', 19, (), cityscapes).tolist() == [*range(19)]
    chosen = config_of(type='CityscapesDataset', metainfo={'classes': ('car', 'road')})
    values = written_values('dataset', 2, (), chosen)
    assert values.tolist() == [CITYSCAPES.index('car'), CITYSCAPES.index('road')]
    merging = config_of(type=Merged, reduce_zero_label=True)
    assert written_values('dataset', 2, (), merging).tolist() == [2, 1]


def test_data_sets_that_cannot_tell_are_said():
    for cfg in (None, Config({})):
        with pytest.raises(ConfigError, match=r'which is not there: name a config'):
            written_values('dataset', 19, (), cfg)
    inner = load_config('sctnet-s-ade').test_dataloader.dataset
    city = {**inner, 'type': 'CityscapesDataset'}
    two = config_of(type='ConcatDataset', datasets=[inner, city])
    with pytest.raises(ConfigError, match='has 2 ways to count: name a config'):
        written_values('dataset', 150, (), two)
    alike = config_of(type='ConcatDataset', datasets=[inner, inner])
    assert written_values('dataset', 150, (), alike)[0] == 1
    few = config_of(type='CityscapesDataset', reduce_zero_label=True)
    with pytest.raises(ConfigError, match='stands for class 254: correct its classes'):
        written_values('dataset', 255, (), few)


def test_a_result_from_python_is_what_a_png_holds():
    model = SimpleNamespace(num_classes=19, dataset_meta={'classes': CITYSCAPES})
    result = SegDataSample()
    result.pred_sem_seg = PixelData(data=torch.tensor([[[0, 18], [2, 13]]]))
    assert label_image(model, result, 'cityscapes').tolist() == [[7, 33], [11, 26]]
    assert label_image(model, result).tolist() == [[0, 18], [2, 13]]
    assert label_image(model, result).dtype == np.uint8
