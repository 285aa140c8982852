"""SCTNet-T on crops of synthetic street scenes (make_street_crops.py), on a CPU."""

from mmengine.config import read_base

with read_base():
    from ._base_.default_runtime import *
    from ._base_.imagenet_224x224 import *
    from ._base_.sctnet_t import *
    from ._base_.sgd_100e import *

data_root = 'data/street_crops'
train_pipeline[0].update(scale=64)
test_pipeline[0].update(short_edge=72)
test_pipeline[1].update(scale=72)
test_pipeline[2].update(crop_size=64)
train_dataloader.update(batch_size=32, num_workers=1)
train_dataloader.update(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader.update(batch_size=32, num_workers=1)
val_dataloader.update(dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
model.update(head=dict(num_classes=8))
val_evaluator.update(topk=(1,))
test_evaluator = val_evaluator
optim_wrapper.update(optimizer=dict(lr=0.4))  # for 256 images, so 0.05 for 32
param_scheduler[0].update(end=30)
param_scheduler[1].update(begin=30, end=600, T_max=570)
train_cfg.update(max_iters=600, val_interval=200)
default_hooks.update(checkpoint=dict(interval=200), logger=dict(interval=50))
