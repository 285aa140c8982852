"""SCTNet-B on COCO-Stuff-10K, 640x640 crops, 4 GPUs with 4 images each."""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from .._base_.datasets.coco_stuff10k_640x640 import *
    from .._base_.default_runtime import *
    from .._base_.models.sctnet_b import *
    from .._base_.schedules.adamw_160k import *

model.update(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(num_classes=num_classes),
    auxiliary_head=dict(num_classes=num_classes),
)
train_dataloader.update(batch_size=4)
optim_wrapper.update(optimizer=dict(lr=6e-5))
custom_hooks = [dict(type=DistillationHook, teacher='segformer-b3-coco')]
