"""A folder of one's own: what ``own_data`` says is spread when the config is loaded."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets.transforms import RandomCrop

from sctnet.datasets.own import FolderDataset

with read_base():
    from ..datasets.common import *

# Further keys, and what they are without being named: sctnet/own_data/settings.py.
own_data = dict(crop=(512, 512), iterations=20000, batch=8)

train_pipeline = [
    *load_for_training,
    dict(type=RandomResize, scale=(2048, 512), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type=RandomCrop, crop_size=(512, 512), cat_max_ratio=0.75),
    *distort_and_pack,
]
test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=(2048, 512), keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(2048 * r), int(512 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(dataset=dict(type=FolderDataset, pipeline=train_pipeline))
val_dataloader.update(dataset=dict(type=FolderDataset, pipeline=test_pipeline))
test_dataloader = val_dataloader
