"""LoveDA, 7 classes, 512x512 crops, whole images of 1024x1024 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets import LoveDADataset
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .common import *

num_classes = 7
crop_size = (512, 512)
scale = (1024, 1024)
data_root = 'data/loveDA'

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
    dict(type=Resize, scale=(int(1024 * r), int(1024 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=LoveDADataset,
        data_root=data_root,
        data_prefix=dict(img_path='img_dir/train', seg_map_path='ann_dir/train'),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=LoveDADataset,
        data_root=data_root,
        data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
