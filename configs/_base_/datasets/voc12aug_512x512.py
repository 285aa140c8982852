"""Pascal VOC 2012, augmented, 21 classes, 512x512 crops, short side 512 in tests."""

from mmengine.config import read_base
from mmengine.dataset import ConcatDataset
from mmseg.datasets import PascalVOCDataset

with read_base():
    from .ade20k_512x512 import *

num_classes = 21
data_root = 'data/VOCdevkit/VOC2012'

# VOC's own label maps, then those that only the augmentation (SBD) has.
train_parts = [
    dict(
        type=PascalVOCDataset,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path=labels),
        ann_file=f'ImageSets/Segmentation/{names}.txt',
        pipeline=train_pipeline,
    )
    for names, labels in (
        ('train', 'SegmentationClass'),
        ('aug', 'SegmentationClassAug'),
    )
]
train_dataloader['dataset'] = dict(type=ConcatDataset, datasets=train_parts)
val_dataloader['dataset'] = dict(
    type=PascalVOCDataset,
    data_root=data_root,
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    ann_file='ImageSets/Segmentation/val.txt',
    pipeline=test_pipeline,
)
test_dataloader = val_dataloader
