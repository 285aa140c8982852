"""Synthetic street scenes of 512x256 (sctnet scenes), 128x256 crops."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .cityscapes_seg100 import *

crop_size = (128, 256)
data_root = 'data/street_scenes'

train_pipeline = [
    *load_for_training,
    dict(type=RandomResize, scale=(512, 256), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type=RandomCrop, crop_size=crop_size, cat_max_ratio=0.75),
    *distort_and_pack,
]
test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=(512, 256), keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(512 * r), int(256 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
# One worker and a small batch: these scenes are for machines without a GPU.
train_dataloader.update(
    batch_size=4,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader.update(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline)
)
test_dataloader = val_dataloader
