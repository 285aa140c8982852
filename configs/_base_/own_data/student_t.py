"""SCTNet-T, for a CPU, on a folder of one's own; custom_hooks names its teacher."""

from mmengine.config import read_base

from sctnet.engine import DistillationHook

with read_base():
    from ..default_runtime import *
    from ..models.sctnet_t import *
    from ..schedules.adamw_600 import *
    from .common_own_data import *

custom_hooks = [dict(type=DistillationHook, teacher='my_teacher.py')]
