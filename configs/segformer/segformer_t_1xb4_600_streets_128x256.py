"""SegFormer-T on synthetic street scenes: a teacher that two CPU cores train."""

from mmengine.config import read_base

with read_base():
    from .._base_.datasets.streets_128x256 import *
    from .._base_.default_runtime import *
    from .._base_.models.segformer_t import *
    from .._base_.schedules.adamw_600 import *

model.update(
    data_preprocessor=dict(size=crop_size), decode_head=dict(num_classes=num_classes)
)
default_hooks.update(checkpoint=dict(interval=200))
