"""SCTNet-S on LoveDA, 2 GPUs with 8 images each.

The paper has no recipe for it: ADE20K's.
"""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from .._base_.datasets.loveda_512x512 import *
    from .._base_.default_runtime import *
    from .._base_.models.sctnet_s import *
    from .._base_.schedules.adamw_160k import *

model.update(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(num_classes=num_classes),
    auxiliary_head=dict(num_classes=num_classes),
)
custom_hooks = [dict(type=DistillationHook, teacher='segformer-b2-loveda')]
