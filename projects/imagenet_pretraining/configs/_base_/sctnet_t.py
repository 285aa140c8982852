"""SCTNet-T as a classifier of 1000 classes."""

from mmengine.config import read_base

with read_base():
    from .sctnet_b import *

model.update(
    backbone=dict(base_channels=16, dappm_channels=32),
    neck=dict(base_channels=16),
    head=dict(in_channels=192),
)
