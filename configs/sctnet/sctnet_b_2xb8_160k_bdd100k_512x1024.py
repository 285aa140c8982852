"""SCTNet-B on BDD100K, 2 GPUs with 8 images each.

The paper has no recipe for it: Cityscapes's.
"""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from .._base_.datasets.bdd100k_512x1024 import *
    from .._base_.default_runtime import *
    from .._base_.models.sctnet_b import *
    from .._base_.schedules.adamw_160k_cityscapes import *

model.update(
    data_preprocessor=dict(size=crop_size),
    decode_head=dict(num_classes=num_classes),
    auxiliary_head=dict(num_classes=num_classes),
)
custom_hooks = [dict(type=DistillationHook, teacher='segformer-b3-bdd100k')]
