"""SegFormer-B3 on LoveDA, 512x512 crops: a teacher for SCTNet-B."""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.loveda_512x512 import *
    from .._base_.default_runtime import *
    from .._base_.models.segformer_b3 import *
    from .._base_.schedules.segformer_160k import *

model.update(
    data_preprocessor=dict(size=crop_size), decode_head=dict(num_classes=num_classes)
)
train_dataloader.update(batch_size=2)
