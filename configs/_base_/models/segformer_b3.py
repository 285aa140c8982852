"""SegFormer with a MiT-B3 backbone, the teacher of SCTNet-B."""

from mmengine.config import read_base

with read_base():
    from .segformer_b2 import *

model.update(backbone=dict(num_layers=[3, 4, 18, 3]))
