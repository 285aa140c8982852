"""SCTNet-S on CamVid, 1 GPU with 16 images.

The paper has no recipe for it: Cityscapes's, shortened.
"""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from .._base_.datasets.camvid_352x480 import *
    from .._base_.default_runtime import *
    from .._base_.models.sctnet_s import *
    from .._base_.schedules.adamw_160k_cityscapes import *

model.update(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(num_classes=num_classes),
    auxiliary_head=dict(num_classes=num_classes),
)
train_dataloader.update(batch_size=16)
train_cfg.update(max_iters=20000, val_interval=2000)
default_hooks.update(checkpoint=dict(interval=2000))
custom_hooks = [dict(type=DistillationHook, teacher='segformer-b2-camvid')]
