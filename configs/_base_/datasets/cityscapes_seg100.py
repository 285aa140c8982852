"""Cityscapes, 19 classes, 1024x1024 crops, whole images of 2048x1024 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets import CityscapesDataset
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .common import *

num_classes = 19
crop_size = (1024, 1024)
data_root = 'data/cityscapes'

train_pipeline = [
    *load_for_training,
    dict(
        type=RandomResize, scale=(2048, 1024), ratio_range=(0.5, 2.0), keep_ratio=True
    ),
    dict(type=RandomCrop, crop_size=crop_size, cat_max_ratio=0.75),
    *distort_and_pack,
]
test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=(2048, 1024), keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(2048 * r), int(1024 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=CityscapesDataset,
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=CityscapesDataset,
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
