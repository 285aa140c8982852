"""CamVid, 11 classes, 352x480 crops (h x w), whole images of 480x360 in tests."""

from mmcv.transforms import RandomResize, Resize, TestTimeAug
from mmengine.config import read_base
from mmseg.datasets.transforms import RandomCrop

from sctnet.datasets.camvid import CamVidDataset

with read_base():
    from .common import *

num_classes = 11
crop_size = (352, 480)  # of 360x480, the nearest multiples of 32
scale = (480, 360)
data_root = 'data/CamVid'

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
    dict(type=Resize, scale=(int(480 * r), int(360 * r)), keep_ratio=True)
    for r in tta_ratios
]
tta_pipeline = [
    load_for_test,
    dict(type=TestTimeAug, transforms=[tta_resizes, *tta_flip_and_pack]),
]
train_dataloader.update(
    dataset=dict(
        type=CamVidDataset,
        data_root=data_root,
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        pipeline=train_pipeline,
    )
)
val_dataloader.update(
    dataset=dict(
        type=CamVidDataset,
        data_root=data_root,
        data_prefix=dict(img_path='val', seg_map_path='valannot'),
        pipeline=test_pipeline,
    )
)
test_dataloader = val_dataloader
