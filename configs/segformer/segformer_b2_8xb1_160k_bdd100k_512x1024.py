"""SegFormer-B2 on BDD100K, 512x1024 crops: a teacher for SCTNet-S."""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.bdd100k_512x1024 import *
    from .._base_.default_runtime import *
    from .._base_.models.segformer_b2 import *
    from .._base_.schedules.segformer_160k import *

model.update(
    data_preprocessor=dict(size=crop_size), decode_head=dict(num_classes=num_classes)
)
train_dataloader.update(batch_size=1)
