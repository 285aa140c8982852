"""Cityscapes with 512x1024 crops (h x w), tested at 75 % of the full size."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .cityscapes_seg100 import *

crop_size = (512, 1024)

train_pipeline = [
    *load_for_training,
    dict(
        type=RandomResize, scale=(2048, 1024), ratio_range=(0.25, 1.5), keep_ratio=True
    ),
    dict(type=RandomCrop, crop_size=crop_size, cat_max_ratio=0.75),
    *distort_and_pack,
]
test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=(1536, 768), keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(1536 * r), int(768 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(dataset=dict(pipeline=train_pipeline))
val_dataloader.update(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
