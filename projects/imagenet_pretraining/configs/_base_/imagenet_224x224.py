"""ImageNet, a folder for each class: random 224-pixel crops, central ones to test."""

from mmcv.transforms import RandomFlip
from mmengine.dataset import DefaultSampler, InfiniteSampler, default_collate
from mmpretrain.datasets import CustomDataset
from mmpretrain.datasets.transforms import CenterCrop, ResizeEdge
from mmpretrain.evaluation import Accuracy

from sctnet_pretraining.loading import LoadImage, LoadRandomCrop, Pack

data_root = 'data/imagenet'
train_pipeline = [
    dict(type=LoadRandomCrop, scale=224),
    dict(type=RandomFlip, prob=0.5),
    dict(type=Pack),
]
test_pipeline = [
    dict(type=LoadImage, short_edge=256),
    dict(type=ResizeEdge, scale=256, edge='short'),
    dict(type=CenterCrop, crop_size=224),
    dict(type=Pack),
]
# Batches are stacked by the workers: the training process gets one tensor, not 128.
train_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    prefetch_factor=4,
    collate_fn=dict(type=default_collate),
    drop_last=True,
    sampler=dict(type=InfiniteSampler, shuffle=True),
    dataset=dict(
        type=CustomDataset,
        data_root=data_root,
        data_prefix='train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    persistent_workers=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        type=CustomDataset,
        data_root=data_root,
        data_prefix='val',
        pipeline=test_pipeline,
    ),
)
val_evaluator = dict(type=Accuracy, topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
