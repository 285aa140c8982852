"""COCO-Stuff-10K, 171 classes, 640x640 crops, short side 640 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets import COCOStuffDataset
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .common import *

num_classes = 171
crop_size = (640, 640)
scale = (2560, 640)
data_root = 'data/coco_stuff10k'

train_pipeline = [
    *load_for_training,
    dict(type=RandomResize, scale=scale, ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type=RandomCrop, crop_size=crop_size, cat_max_ratio=0.75),
    *distort_and_pack,
]
test_pipeline = [
    load_for_test,
    dict(type=Resize, scale=scale, keep_ratio=True),
    load_labels_for_test,
    pack_for_test,
]
tta_resizes = [
    dict(type=Resize, scale=(int(2560 * r), int(640 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=COCOStuffDataset,
        reduce_zero_label=True,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/train2014', seg_map_path='annotations/train2014'
        ),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=COCOStuffDataset,
        reduce_zero_label=True,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/test2014', seg_map_path='annotations/test2014'
        ),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
