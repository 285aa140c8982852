"""Cityscapes with 512x1024 crops (h x w), tested at half the full size."""

from mmcv.transforms import Resize, TestTimeAug
from mmengine.config import read_base

with read_base():
    from .cityscapes_seg75 import *

test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=(1024, 512), keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(1024 * r), int(512 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
val_dataloader.update(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
