"""ADE20K, 150 classes, 512x512 crops, short side 512 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets import ADE20KDataset
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .common import *

num_classes = 150
crop_size = (512, 512)
scale = (2048, 512)
data_root = 'data/ade/ADEChallengeData2016'

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
    dict(type=Resize, scale=(int(2048 * r), int(512 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=ADE20KDataset,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/training', seg_map_path='annotations/training'
        ),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=ADE20KDataset,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/validation', seg_map_path='annotations/validation'
        ),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
