"""SCTNet-T on synthetic street scenes, taught by SegFormer-T, on two CPU cores."""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from .._base_.datasets.streets_128x256 import *
    from .._base_.default_runtime import *
    from .._base_.models.sctnet_t import *
    from .._base_.schedules.adamw_600 import *

model.update(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(num_classes=num_classes),
    auxiliary_head=dict(num_classes=num_classes),
)
default_hooks.update(checkpoint=dict(interval=200))
custom_hooks = [dict(type=DistillationHook, teacher='segformer-t-streets')]
