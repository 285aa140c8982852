"""The student: SCTNet-S on the same folder, taught by my_teacher.py."""

from mmengine.config import read_base

with read_base():
    from sctnet.configs._base_.own_data.student_s import *

own_data.update(
    root='data/rooms',
    classes=('floor', 'wall', 'door'),
    crop=(512, 512),
)
custom_hooks[0].update(teacher='my_teacher.py')
