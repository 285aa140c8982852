"""A SegFormer small enough to train on a CPU, the teacher of SCTNet-T."""

from mmengine.config import read_base

with read_base():
    from .segformer_b2 import *

model.update(
    backbone=dict(embed_dims=32, num_layers=[1, 1, 1, 1], drop_path_rate=0.0),
    decode_head=dict(in_channels=[32, 64, 160, 256], channels=64, dropout_ratio=0.0),
)
