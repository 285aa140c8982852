"""SCTNet-S: every width of SCTNet-B halved."""

from mmengine.config import read_base

with read_base():
    from .sctnet_b import *

model.update(
    backbone=dict(base_channels=32, dappm_channels=64),
    decode_head=dict(in_channels=128, channels=128),
    auxiliary_head=dict(in_channels=64, channels=64),
    siam=dict(
        bfa=dict(stage3=dict(student_channels=128), stage4=dict(student_channels=256)),
        sdha=dict(student_channels=128),
    ),
)
