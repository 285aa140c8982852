"""SCTNet-T: a quarter of SCTNet-B's widths, for street scenes on a CPU."""

from mmengine.config import read_base

with read_base():
    from .sctnet_b import *

model.update(
    backbone=dict(base_channels=16, dappm_channels=32),
    decode_head=dict(in_channels=64, channels=64),
    auxiliary_head=dict(in_channels=32, channels=32),
    siam=dict(
        bfa=dict(
            stage3=dict(student_channels=64, teacher_channels=160),
            stage4=dict(student_channels=128, teacher_channels=256),
        ),
        sdha=dict(student_channels=64, merged_channels=256),
    ),
)
