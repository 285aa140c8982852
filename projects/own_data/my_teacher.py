"""The teacher: SegFormer-B2 on your folder of images and label maps."""

from mmengine.config import read_base

with read_base():
    from sctnet.configs._base_.own_data.teacher_b2 import *

own_data.update(
    root='data/rooms',
    classes=('floor', 'wall', 'door'),
    crop=(512, 512),
)
