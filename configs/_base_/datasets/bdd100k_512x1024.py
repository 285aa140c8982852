"""BDD100K, 19 classes, 512x1024 crops (h x w), whole images of 1280x720 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets import BDD100KDataset
from mmseg.datasets.transforms import RandomCrop

with read_base():
    from .common import *

num_classes = 19
crop_size = (512, 1024)
scale = (1280, 720)
data_root = 'data/bdd100k'

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
    dict(type=Resize, scale=(int(1280 * r), int(720 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=BDD100KDataset,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/10k/train', seg_map_path='labels/sem_seg/masks/train'
        ),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=BDD100KDataset,
        data_root=data_root,
        data_prefix=dict(
            img_path='images/10k/val', seg_map_path='labels/sem_seg/masks/val'
        ),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
